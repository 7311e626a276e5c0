//! Every fault, as a client sees it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use testkit::{Answer, DeadPort, Fault, Provider, Script, When};

use crate::Tested;
use crate::client::{Got, ask, begin, chat, post, streamed};

const TEXT: &str = "one two three é";

async fn faulty(fault: Fault) -> std::io::Result<Provider> {
    Provider::start(Script::of(Answer::text(TEXT).failing(fault))).await
}

/// Returns the answer to a streamed request and to an unstreamed one.
async fn both(fault: Fault) -> Result<(Got, Got), Box<dyn std::error::Error>> {
    let provider = faulty(fault).await?;
    Ok((ask(&provider, &streamed("hi")).await?, ask(&provider, &chat("hi")).await?))
}

#[tokio::test]
async fn a_status_comes_with_its_body() -> Tested {
    let (stream, whole) = both(Fault::status(429)).await?;
    assert_eq!((stream.status, whole.status), (429, 429));
    assert_eq!(whole.json()["error"]["code"], "rate_limit_exceeded");
    let (_, whole) = both(Fault::Status(418, Some("teapot".to_owned()))).await?;
    assert_eq!((whole.status, whole.text().as_str()), (418, "teapot"));
    Ok(())
}

/// Sends a request by hand and returns how reading its answer ends.
async fn read_by_hand(provider: &Provider) -> std::io::Result<usize> {
    let mut stream = TcpStream::connect(("127.0.0.1", provider.port())).await?;
    let body = streamed("hi").to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length:";
    stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await
}

#[tokio::test]
async fn a_refused_connection_is_reset() -> Tested {
    let provider = faulty(Fault::Refuse).await?;
    let kind = read_by_hand(&provider).await.map_err(|error| error.kind());
    // Which of the two depends on whether the reset comes before the request is written.
    assert!(matches!(kind, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{kind:?}");
    assert_eq!((provider.asked(), provider.seen().len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_rule_that_refuses_resets_after_the_request() -> Tested {
    let refuse = Answer::text(TEXT).failing_first(1, Fault::Refuse);
    let script = Script::saying("else").when(When::model("small"), refuse);
    let provider = Provider::start(script).await?;
    let kind = read_by_hand(&provider).await.map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::ConnectionReset));
    assert_eq!((provider.seen().len(), provider.hung_up()), (1, 0));
    assert_eq!(ask(&provider, &chat("hi")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn nothing_listens_on_a_dead_port() -> Tested {
    let dead = DeadPort::take()?;
    let kind = TcpStream::connect(("127.0.0.1", dead.port())).await.map_err(|error| error.kind());
    assert_eq!(kind.err(), Some(ErrorKind::ConnectionRefused));
    assert_eq!(dead.base_url(), format!("http://127.0.0.1:{}/v1", dead.port()));
    Ok(())
}

#[tokio::test]
async fn no_answer_comes_until_the_client_leaves() -> Tested {
    let provider = faulty(Fault::NeverAnswer).await?;
    let begun = tokio::select! {
        _ = begin(&provider, post(&chat("hi"))?) => true,
        () = provider.until_asked(1) => false,
    };
    assert!(!begun);
    assert_eq!(provider.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() -> Tested {
    for (fault, events) in [(Fault::HeadersThenSilence, 0), (Fault::SilenceAfter(2), 3)] {
        let provider = faulty(fault).await?;
        let mut begun = begin(&provider, post(&streamed("hi"))?).await?;
        assert_eq!(begun.response.status(), 200);
        let mut came = Vec::new();
        while came.windows(2).filter(|pair| pair == b"\n\n").count() < events {
            came.extend(begun.piece().await.ok_or("the body ended")?);
        }
        assert_eq!(provider.hung_up(), 0);
        drop(begun);
        provider.until_hung_up(1).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_breaks_the_body_off() -> Tested {
    for (fault, events, said) in [
        (Fault::CutBeforeFirstToken, 1, ""),
        (Fault::CutAfter(1), 2, "one "),
        (Fault::CutAfter(3), 4, "one two three "),
    ] {
        let (stream, whole) = both(fault.clone()).await?;
        assert!(stream.broken && whole.broken, "{fault}");
        assert_eq!((stream.status, whole.status), (200, 200));
        assert_eq!((stream.data().len(), stream.said().as_str()), (events, said), "{fault}");
        assert!(!whole.body.is_empty() && whole.json().is_null(), "{fault}");
    }
    Ok(())
}

#[tokio::test]
async fn an_error_comes_in_a_good_status() -> Tested {
    let (stream, whole) = both(Fault::ErrorIn200).await?;
    for got in [stream, whole] {
        assert_eq!((got.status, got.broken), (200, false));
        assert_eq!(got.headers["content-type"], "application/json");
        assert_eq!(got.json()["error"]["code"], 502);
    }
    Ok(())
}

#[tokio::test]
async fn an_error_comes_in_the_stream() -> Tested {
    let (stream, _) = both(Fault::ErrorAfter(2)).await?;
    assert_eq!((stream.status, stream.broken), (200, false));
    assert_eq!(stream.said(), "one two ");
    let chunks = stream.chunks();
    assert_eq!(chunks.len(), 4);
    assert_eq!(chunks[3]["error"]["message"], "Provider returned error");
    assert!(!stream.text().contains("[DONE]"));
    Ok(())
}

#[tokio::test]
async fn an_empty_answer_is_well_formed() -> Tested {
    let (stream, whole) = both(Fault::Empty).await?;
    assert_eq!(whole.json()["choices"][0]["message"]["content"], "");
    assert_eq!(whole.json()["usage"]["completion_tokens"], 0);
    assert_eq!((stream.said().as_str(), stream.data().len()), ("", 3));
    assert!(stream.text().ends_with("data: [DONE]\n\n"));
    Ok(())
}

#[tokio::test]
async fn the_end_of_a_stream_is_missing() -> Tested {
    let (stream, _) = both(Fault::NoDone).await?;
    assert!(!stream.broken && !stream.text().contains("[DONE]"));
    assert!(stream.text().contains("\"finish_reason\":\"stop\""));
    let (stream, _) = both(Fault::NoFinish).await?;
    assert!(!stream.broken && !stream.text().contains("[DONE]"));
    assert!(!stream.text().contains("\"stop\""));
    assert_eq!(stream.said(), TEXT);
    Ok(())
}

#[tokio::test]
async fn a_proxy_answers_with_a_page() -> Tested {
    let (stream, whole) = both(Fault::Html503).await?;
    for got in [stream, whole] {
        assert_eq!(got.status, 503);
        assert_eq!(got.headers["content-type"], "text/html");
        assert!(got.text().starts_with("<html>"));
    }
    Ok(())
}

#[tokio::test]
async fn json_breaks_off_in_a_complete_message() -> Tested {
    let (stream, whole) = both(Fault::BrokenJson).await?;
    assert!(!whole.broken && !whole.body.is_empty() && whole.json().is_null());
    assert!(!stream.broken);
    // The event that broke and `[DONE]` are no JSON.
    assert_eq!(stream.data().len() - stream.chunks().len(), 2);
    Ok(())
}

#[tokio::test]
async fn slow_pieces_take_their_time() -> Tested {
    let pause = Duration::from_millis(3);
    let provider = faulty(Fault::SlowChunks(pause)).await?;
    let start = Instant::now();
    let got = ask(&provider, &streamed("hi")).await?;
    assert_eq!(got.said(), TEXT);
    assert!(start.elapsed() >= pause * 6);
    Ok(())
}

#[tokio::test]
async fn comments_keep_the_connection_alive() -> Tested {
    let (stream, whole) = both(Fault::KeepAliveComments).await?;
    assert!(stream.text().starts_with(": keep-alive\n\n\ndata: "));
    assert_eq!(stream.text().matches(": keep-alive").count(), stream.data().len());
    assert_eq!(stream.said(), TEXT);
    assert!(whole.text().starts_with("\n         \n"));
    assert_eq!(whole.json()["choices"][0]["message"]["content"], TEXT);
    Ok(())
}

#[tokio::test]
async fn lines_end_in_crlf() -> Tested {
    let (stream, _) = both(Fault::Crlf).await?;
    assert!(stream.text().ends_with("data: [DONE]\r\n\r\n"));
    assert!(!stream.text().replace("\r\n", "").contains('\n'));
    assert_eq!(stream.said(), TEXT);
    Ok(())
}

#[tokio::test]
async fn every_byte_comes_alone() -> Tested {
    let (stream, whole) = both(Fault::OneByteAtATime).await?;
    assert_eq!(stream.said(), TEXT);
    assert_eq!(whole.json()["choices"][0]["message"]["content"], TEXT);
    Ok(())
}

#[tokio::test]
async fn garbage_is_no_text() -> Tested {
    let (stream, whole) = both(Fault::Garbage).await?;
    for got in [stream, whole] {
        assert_eq!((got.status, got.broken), (200, false));
        assert!(std::str::from_utf8(&got.body).is_err());
    }
    Ok(())
}
