//! Streams: passed on as they come, and ended in exactly one of two ways.

use http_body_util::BodyExt;
use hyper::Request;
use testkit::{Answer, Fault, Provider, Script, corpus};

use crate::support::{Setup, ask, client, only_row, rows};

async fn streamed(answer: Answer) -> (Setup, Provider) {
    let provider = Provider::start(Script::of(answer)).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    (setup, provider)
}

/// Counts the two ends of a stream: the dialect's own, and an error.
fn ends(stream: &str) -> (usize, usize) {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let (mut done, mut failed) = (0, 0);
    for data in data {
        done += usize::from(data == "[DONE]");
        failed += usize::from(data.starts_with("{\"error\""));
    }
    (done, failed)
}

/// Streams an answer with a fault and checks how it ends.
async fn check(fault: Fault, expected: (usize, usize), outcome: &str) -> String {
    let (setup, _provider) = streamed(Answer::text("one two three four five").failing(fault)).await;
    let served = setup.serve();
    let got = served.chat(&ask("one-a", true, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(ends(got.text()), expected, "{}", got.text());
    let rows = rows(&setup);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["outcome"], outcome, "{}", rows[0]);
    got.text().to_owned()
}

#[tokio::test]
async fn a_cut_is_told_and_never_looks_finished() {
    let stream = check(Fault::CutAfter(2), (0, 1), "failed").await;
    assert!(stream.contains("stream_interrupted") && stream.contains("\"one/one-a\""), "{stream}");
}

#[tokio::test]
async fn an_error_in_the_stream_is_told_once() {
    check(Fault::ErrorAfter(2), (0, 1), "failed").await;
}

#[tokio::test]
async fn a_stream_without_finish_is_a_cut() {
    check(Fault::NoFinish, (0, 1), "failed").await;
}

#[tokio::test]
async fn a_stream_without_done_gets_its_end() {
    check(Fault::NoDone, (1, 0), "answered").await;
}

#[tokio::test]
async fn line_ends_comments_and_single_bytes_change_nothing() {
    for fault in [Fault::Crlf, Fault::KeepAliveComments, Fault::OneByteAtATime] {
        check(fault, (1, 0), "answered").await;
    }
}

#[tokio::test]
async fn usage_is_asked_for_and_its_chunk_taken_out_again() {
    let (setup, provider) = streamed(Answer::text("one two")).await;
    let served = setup.serve();
    let got = served.chat(&ask("one-a", true, "hi")).await;
    let sent = provider.seen().pop().unwrap().json().unwrap();
    assert_eq!(sent["stream_options"]["include_usage"], true);
    assert!(!got.text().contains("prompt_tokens"), "{}", got.text());
    assert_eq!(rows(&setup)[0]["counted"], "reported");

    let mut body = ask("one-a", true, "hi");
    body["stream_options"] = serde_json::json!({"include_usage": true});
    let got = served.chat(&body).await;
    assert!(got.text().contains("prompt_tokens"), "whoever asks gets it: {}", got.text());
}

#[tokio::test]
async fn a_recorded_stream_goes_through_byte_for_byte() {
    let case = corpus::require("passing a recorded stream on")
        .and_then(|_| corpus::case("252fc0aa60462a80"));
    let cases = corpus::cases(&|case| {
        case.api == "chat"
            && case.is_stream
            && case.capture == "wire"
            && !case.is_error
            && case.response_body.trim_end().ends_with("data: [DONE]")
    });
    if case.is_none() {
        return;
    }
    let provider = Provider::start(Script::saying("")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    let served = setup.serve();
    let mut passed = 0;
    for case in cases.into_iter().step_by(8) {
        let recorded = case.body_bytes().unwrap();
        provider.set(Script::of(Answer::recorded(case.clone())));
        let mut body = ask("one-a", true, "hi");
        body["stream_options"] = serde_json::json!({"include_usage": true});
        let got = served.chat(&body).await;
        let (whole, came) = (recorded.trim_ascii_end(), got.body.trim_ascii_end());
        assert_eq!(
            came.escape_ascii().to_string(),
            whole.escape_ascii().to_string(),
            "{}",
            case.id
        );
        passed += 1;
    }
    assert!(passed > 20, "only {passed} streams");
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_the_attempt_and_is_settled() {
    let answer = Answer::text("one two three four").failing(Fault::SilenceAfter(2));
    let (setup, provider) = streamed(answer).await;
    let served = setup.serve();
    let request = Request::post(format!("{}/chat/completions", served.base))
        .body(http_body_util::Full::from(ask("one-a", true, "hi").to_string()))
        .unwrap();
    let mut response = client().request(request).await.unwrap();
    while let Some(frame) = response.body_mut().frame().await {
        if frame.unwrap().into_data().is_ok_and(|data| data.windows(3).any(|word| word == b"two")) {
            break;
        }
    }
    drop(response);
    provider.until_hung_up(1).await;
    let row = only_row(&setup);
    assert_eq!(row["outcome"], "cancelled");
    assert_eq!(row["counted"], "estimated", "what was used is settled: {row}");
    assert!(!row["cost_usd"].is_null());
}

#[tokio::test]
async fn a_client_that_hangs_up_before_a_whole_answer_cancels_the_attempt_too() {
    use tokio::io::AsyncWriteExt;
    let (setup, provider) = streamed(Answer::text("").failing(Fault::NeverAnswer)).await;
    let served = setup.serve();
    let body = ask("one-a", false, "hi").to_string();
    let address = served.root().trim_start_matches("http://").to_owned();
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    provider.until_asked(1).await;
    drop(socket);
    provider.until_hung_up(1).await;
    let row = only_row(&setup);
    assert_eq!(row["outcome"], "cancelled");
    assert_eq!(row["counted"], serde_json::Value::Null, "nobody knows what was used: {row}");
}

#[tokio::test]
async fn shutting_down_lets_a_stream_finish() {
    let slow = Fault::SlowChunks(std::time::Duration::from_millis(40));
    let (setup, provider) =
        streamed(Answer::text("one two three four five six").failing(slow)).await;
    let served = setup.serve();
    let request = Request::post(format!("{}/chat/completions", served.base))
        .body(http_body_util::Full::from(ask("one-a", true, "hi").to_string()))
        .unwrap();
    let answer = tokio::spawn(async move {
        let response = client().request(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    });
    provider.until_asked(1).await;
    let code = tokio::task::spawn_blocking(move || served.stop()).await.unwrap();
    assert_eq!(code, Some(0));
    let stream = String::from_utf8(answer.await.unwrap().to_vec()).unwrap();
    assert_eq!(ends(&stream), (1, 0), "{stream}");
    assert_eq!(rows(&setup)[0]["outcome"], "answered");
}
