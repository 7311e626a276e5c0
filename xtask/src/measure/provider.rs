//! The scripted provider of a measurement, in a process of its own, and what it is asked: the
//! question decides between an answer of a kilobyte and a stream of forty chunks.

use std::process::ExitCode;
use std::time::Duration;

use testkit::{Answer, Fault, Provider, Script, When};

/// How the provider answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Provide {
    /// Milliseconds between the chunks of a stream.
    #[arg(long)]
    pause: u64,
}

/// Gets the answer of a kilobyte.
pub(crate) const WHOLE: &str = "Why do points need a lock?";

/// Gets the answer of forty words, which is as many chunks.
pub(crate) const STREAM: &str = "Name the parts of a railway junction.";

/// Is the provider until it is ended; prints its port.
pub(crate) async fn provider(how: &Provide) -> anyhow::Result<ExitCode> {
    let words = |count: usize| {
        let said = "points locks levers signals and tracks".split(' ').cycle().take(count);
        said.collect::<Vec<_>>().join(" ")
    };
    let pause = Duration::from_millis(how.pause);
    let stream = match how.pause {
        0 => Answer::text(&words(40)),
        _ => Answer::text(&words(40)).failing(Fault::SlowChunks(pause)),
    };
    let script = Script::of(Answer::text(&words(170))).when(When::said(STREAM), stream);
    let provider = Provider::start(script).await?;
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{}", provider.port());
    }
    std::future::pending().await
}
