//! What a request costs in each lane, in instructions: the whole of `pointsman serve` under
//! callgrind, ledger and sockets included, since instructions do not vary with the machine's mood.
//!
//! The same conversation is asked of the same scripted provider, which speaks OpenAI chat: by a client
//! that speaks it too (the verbatim lane), and by clients of the other dialects (the translate
//! lane). A run without requests is taken off.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ir::{Inbound, Mode, Quirks};
use serde_json::json;

use crate::measure::process::Running;
use crate::measure::provider::{STREAM, WHOLE};
use crate::measure::servers;

#[derive(Debug, clap::Args)]
pub(crate) struct Lanes {
    /// Requests in a run.
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// Measure this pointsman instead of building one.
    #[arg(long, value_name = "PATH")]
    binary: Option<std::path::PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A client that asks.
#[derive(Debug, Clone, Copy)]
struct Asked {
    inbound: Inbound,
    stream: bool,
}

/// Measures and prints. Exits with 2 when valgrind is not installed.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the report of a chore")]
pub(crate) async fn run(args: &Lanes) -> anyhow::Result<ExitCode> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("valgrind is not installed: apt-get install valgrind");
        return Ok(ExitCode::from(2));
    }
    let binary = args.binary.clone().map_or_else(servers::built, Ok)?;
    let folder = tempfile::tempdir()?;
    let (_provider, port) = servers::provider(folder.path(), 0)?;
    let idle = counted(folder.path(), port, &binary, None, 0).await?;
    let mut rows = Vec::new();
    for stream in [false, true] {
        let mut verbatim = None;
        for inbound in Inbound::ALL {
            let asked = Asked { inbound, stream };
            let all = counted(folder.path(), port, &binary, Some(asked), args.requests).await?;
            let each = all.saturating_sub(idle) / args.requests as u64;
            let base = *verbatim.get_or_insert(each);
            rows.push((inbound.dialect().name(), stream, each, each as f64 / base as f64));
        }
    }
    for (dialect, stream, each, ratio) in rows {
        let how = if stream { "stream" } else { "whole" };
        if args.json {
            let row = json!({"dialect": dialect, "how": how, "instructions": each, "ratio": ratio});
            println!("{row}");
        } else {
            println!("{dialect:<20} {how:<8} {each:>12} instructions a request  {ratio:.2} x");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a server under callgrind, asks it so many times, and returns the instructions of its life.
async fn counted(
    folder: &Path,
    provider: u16,
    binary: &Path,
    asked: Option<Asked>,
    requests: usize,
) -> anyhow::Result<u64> {
    let port = servers::free_port()?;
    let config = servers::configured(folder, port, provider)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(binary);
    command.args(["serve", "--config"]).arg(config).stdout(Stdio::null());
    let mut running = Running::start(&mut command, folder, "callgrind")?;
    servers::until_answered(&format!("http://127.0.0.1:{port}/health/live"), &mut running).await?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    if let Some(asked) = asked {
        for _ in 0..requests {
            ask(&client, port, asked).await?;
        }
    }
    // Connections that stay open would keep the server waiting for its end.
    drop(client);
    running.stop()?;
    let told = running.complaints();
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.with_context(|| format!("no count in:\n{told}"))?;
    count.trim().parse().context("read callgrind's count")
}

async fn ask(
    client: &Client<HttpConnector, Full<Bytes>>,
    port: u16,
    asked: Asked,
) -> anyhow::Result<()> {
    let verb = if asked.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    let path = match asked.inbound {
        Inbound::OpenaiChat => "/v1/chat/completions".to_owned(),
        Inbound::OpenaiResponses => "/v1/responses".to_owned(),
        Inbound::AnthropicMessages => "/v1/messages".to_owned(),
        Inbound::Gemini => format!("/v1beta/models/scripted/scripted-1:{verb}"),
    };
    let request = Request::post(format!("http://127.0.0.1:{port}{path}"))
        .header("content-type", "application/json")
        .body(Full::from(body(asked)?))?;
    let response = client.request(request).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    ensure!(
        status == 200 && answer.len() > 1_000,
        "answered {status}: {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(())
}

/// A conversation of about nine kilobytes with tools, in the client's dialect.
fn body(asked: Asked) -> anyhow::Result<Vec<u8>> {
    let prompt = "You answer questions about railways, briefly and with the source. ".repeat(40);
    let tool = |n: usize| {
        json!({"type": "function", "function": {
            "name": format!("look_up_{n}"),
            "description": "Looks a station, a line or a train up by its name or its number.",
            "parameters": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "description": "What it is called."},
                "limit": {"type": "integer", "description": "How many to return."},
            }},
        }})
    };
    let tools: Vec<_> = (0..8).map(tool).collect();
    let said = |n: usize| {
        [
            json!({"role": "user", "content": format!("And what of line {n}, and its trains?")}),
            json!({"role": "assistant", "content": "It runs from the harbour to the hills. ".repeat(6)}),
        ]
    };
    let mut messages = vec![json!({"role": "system", "content": prompt})];
    messages.extend((0..4).flat_map(said));
    let question = if asked.stream { STREAM } else { WHOLE };
    messages.push(json!({"role": "user", "content": question}));
    let chat = json!({
        "model": "scripted/scripted-1", "stream": asked.stream, "messages": messages,
        "tools": tools, "temperature": 0.2, "max_tokens": 512,
    })
    .to_string();
    let mut request = wire::read_request(Inbound::OpenaiChat, chat.as_bytes())
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    if asked.inbound == Inbound::OpenaiChat {
        return Ok(chat.into_bytes());
    }
    if asked.stream {
        request.mode = Mode::Stream { usage: true, extras: ir::Extras::default() };
    }
    let dialect = asked.inbound.dialect();
    Ok(wire::write_request(dialect, &request, Quirks::default()).bytes)
}
