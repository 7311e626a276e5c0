//! What a provider remembers and counts: requests, hang-ups, faults shown, scripts changed.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use testkit::{Answer, Ended, Fault, Provider, Script, When};

use crate::Tested;
use crate::client::{ask, begin, chat, post, send, streamed};

#[tokio::test]
async fn requests_are_seen_as_they_came() -> Tested {
    let provider = Provider::start(Script::saying("hi")).await?;
    ask(&provider, &chat("first")).await?;
    let seen = provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, "POST");
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(seen[0].query.as_deref(), Some("trace=1"));
    assert_eq!(seen[0].authorization(), Some("Bearer sk-test"));
    assert_eq!(seen[0].json(), Some(chat("first")));
    assert_eq!(seen[0].body, chat("first").to_string());
    provider.clear();
    assert_eq!((provider.seen().len(), provider.asked()), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_fault_shows_as_often_as_it_is_told() -> Tested {
    let answer = Answer::text("well").failing_first(2, Fault::status(529));
    let provider = Provider::start(Script::of(answer)).await?;
    for expected in [529, 529, 200, 200] {
        assert_eq!(ask(&provider, &chat("hi")).await?.status, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_fault_is_used_up_only_by_the_requests_it_shows_to() -> Tested {
    let answer = Answer::text("well").failing_first(1, Fault::Html503);
    let provider = Provider::start(Script::of(answer)).await?;
    let get = Request::get("/v1/models").header("host", "h").body(Full::<Bytes>::default())?;
    assert_eq!(send(&provider, get).await?.status, 200);
    assert_eq!(ask(&provider, &chat("hi")).await?.status, 503);
    assert_eq!(ask(&provider, &chat("hi")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn each_rule_counts_its_own_fault() -> Tested {
    let bad = Answer::text("well").failing_first(1, Fault::Html503);
    let script = Script::of(bad.clone()).when(When::said("rule"), bad);
    let provider = Provider::start(script).await?;
    for (said, expected) in [("rule", 503), ("other", 503), ("rule", 200), ("other", 200)] {
        assert_eq!(ask(&provider, &chat(said)).await?.status, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_new_script_counts_from_zero() -> Tested {
    let script = Script::of(Answer::text("well").failing_first(1, Fault::Html503));
    let provider = Provider::start(script.clone()).await?;
    for _ in 0..2 {
        provider.set(script.clone());
        assert_eq!(ask(&provider, &chat("hi")).await?.status, 503);
    }
    assert_eq!(ask(&provider, &chat("hi")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_client_that_reads_to_the_end_has_not_hung_up() -> Tested {
    let provider = Provider::start(Script::saying("one two three")).await?;
    ask(&provider, &chat("hi")).await?;
    ask(&provider, &streamed("hi")).await?;
    provider.set(Script::of(Answer::text("hi").failing(Fault::CutAfter(1))));
    ask(&provider, &streamed("hi")).await?;
    assert_eq!((provider.asked(), provider.hung_up()), (3, 0));
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_in_the_stream_is_counted() -> Tested {
    let slow = Answer::text("one two three").failing(Fault::SilenceAfter(1));
    let provider = Provider::start(Script::of(slow)).await?;
    let mut begun = begin(&provider, post(&streamed("hi"))?).await?;
    assert!(begun.piece().await.is_some());
    assert_eq!(provider.hung_up(), 0);
    drop(begun);
    provider.until_hung_up(1).await;
    assert_eq!((provider.asked(), provider.hung_up()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_while_the_provider_thinks_is_counted() -> Tested {
    let thinking = Answer::text("hi").after(Duration::from_secs(3_600));
    let provider = Provider::start(Script::of(thinking)).await?;
    let mut stream = TcpStream::connect(("127.0.0.1", provider.port())).await?;
    stream.write_all(b"GET /v1/none HTTP/1.1\r\nhost: h\r\n\r\n").await?;
    provider.until_asked(1).await;
    assert_eq!(provider.hung_up(), 0);
    drop(stream);
    provider.until_hung_up(1).await;
    Ok(())
}

#[tokio::test]
async fn an_answer_takes_its_time() -> Tested {
    let delay = Duration::from_millis(30);
    let provider = Provider::start(Script::of(Answer::text("hi").after(delay))).await?;
    let start = Instant::now();
    assert_eq!(ask(&provider, &chat("hi")).await?.status, 200);
    assert!(start.elapsed() >= delay);
    Ok(())
}

#[tokio::test]
async fn dropping_a_provider_ends_its_connections() -> Tested {
    let hanging = Answer::text("hi").failing(Fault::NeverAnswer);
    let provider = Provider::start(Script::of(hanging)).await?;
    let mut stream = TcpStream::connect(("127.0.0.1", provider.port())).await?;
    stream
        .write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}")
        .await?;
    provider.until_asked(1).await;
    drop(provider);
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_stopped_provider_has_given_up_its_port() -> Tested {
    let provider = Provider::start(Script::saying("hi")).await?;
    let port = provider.port();
    provider.stop().await;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_provider_that_flaps_fails_every_other_request() -> Tested {
    let answer = Answer::text("well").flapping(Fault::status(503));
    let provider = Provider::start(Script::of(answer)).await?;
    for expected in [503, 200, 503, 200] {
        assert_eq!(ask(&provider, &chat("hi")).await?.status, expected);
    }
    Ok(())
}

#[tokio::test]
async fn how_an_answer_ended_is_told_of_each_request() -> Tested {
    let script = Script::saying("well")
        .when(When::said("stall"), Answer::text("").failing(Fault::NeverAnswer));
    let provider = Provider::start(script).await?;
    ask(&provider, &chat("marker-1")).await?;
    let told = provider.seen_saying("marker-1");
    assert_eq!(told.len(), 1);
    assert!(told[0].ended().is_some_and(|(how, at)| how == Ended::Complete && at >= told[0].at));
    let body = chat("stall marker-2");
    let stalled = tokio::time::timeout(Duration::from_millis(200), ask(&provider, &body));
    assert!(stalled.await.is_err());
    provider.until_hung_up(1).await;
    let told = provider.seen_saying("marker-2");
    assert_eq!(told[0].ended().map(|(how, _)| how), Some(Ended::HungUp));
    assert!(provider.seen_saying("marker-3").is_empty());
    Ok(())
}
