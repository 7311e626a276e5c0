//! The scripted provider, its faults, and recorded traffic to play and to read.
//!
//! [`Provider`] is a real HTTP/1.1 server on a loopback port that answers from a [`Script`] and
//! can misbehave in every way of [`Fault`]. Integration tests talk to it, and so does the `demo`
//! command, so nothing here is written for tests alone. [`corpus`] finds and reads recorded
//! exchanges, and [`chunks`] cuts bytes in pieces for the law that chunking is invisible.
//!
//! It is not a model, and not a client. A script is data: who is answered what, with which fault.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use testkit::{Answer, Fault, Provider, Script, When};
//!
//! let busy = Answer::text("at last").failing_first(2, Fault::status(529));
//! let script = Script::saying("Hello there.").when(When::model("busy"), busy);
//! let provider = Provider::start(script).await?;
//! println!("{}/chat/completions", provider.base_url());
//! # Ok(())
//! # }
//! ```

pub mod chunks;
pub mod corpus;
mod fault;
mod provider;
mod script;
mod throttle;

pub use corpus::{Case, Cut};
pub use fault::{Fault, UnknownFault};
pub use provider::{DeadPort, Ended, Provider, Seen};
pub use script::{Answer, Reply, Rule, Script, Shows, Trouble, Usage, When};
pub use throttle::Spelling;
