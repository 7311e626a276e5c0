//! Recorded exchanges come back byte for byte, however they are cut.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use testkit::{Answer, Case, Cut, Fault, Provider, Reply, Script, When, corpus};

use crate::Tested;
use crate::client::{Got, send};

/// A record of one's own, for when the corpus is not there.
const SMALL: &str = r#"{"id":"00000000000000aa","source_repo":"","source_path":"","commit":"",
"licence":"","provider":"openai","api":"chat","host":"h","method":"POST","path":"/v1/x",
"status":200,"response_headers":{"X-Request-Id":"r1","Content-Length":"3","Server":"[REDACTED]",
"content-type":"text/event-stream"},"response_body":"data: {\"a\":\"é\"}\n\ndata: b\n\n: c\n\ndata: [DONE]\n\n",
"response_body_encoding":"utf-8","capture":"wire","framing":"sse","is_stream":true}"#;

async fn play(
    case: &Case,
    cut: Cut,
    fault: Option<Fault>,
) -> Result<Got, Box<dyn std::error::Error>> {
    let mut answer = Answer::of(Reply::Recorded { case: Arc::new(case.clone()), cut });
    if let Some(fault) = fault {
        answer = answer.failing(fault);
    }
    let script = Script::saying("no record").when(When::path(&case.id), answer);
    let provider = Provider::start(script).await?;
    // Recorded paths may hold redacted parts that are no path.
    let path = format!("/{}/v1/played", case.id);
    let request = Request::builder().method(case.method.as_str()).uri(path).header("host", "h");
    send(&provider, request.body(Full::from(case.request_body.clone().unwrap_or_default()))?).await
}

fn small() -> Result<Case, serde_json::Error> {
    serde_json::from_str(SMALL)
}

#[tokio::test]
async fn a_record_is_played_byte_for_byte_under_every_cut() -> Tested {
    let case = small()?;
    for cut in ["whole", "event", "rec", "1", "7", "slow"] {
        let cut = Cut::parse(cut).ok_or("no such cut")?;
        let got = play(&case, cut, None).await?;
        assert_eq!(
            (got.status, got.broken, &got.body),
            (200, false, &case.body_bytes()?),
            "{cut:?}"
        );
        assert_eq!(got.headers["x-request-id"], "r1");
        assert!(!got.headers.contains_key("server"));
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_record_breaks_off_half_way() -> Tested {
    let got = play(&small()?, Cut::Drop, None).await?;
    assert!(got.broken);
    assert_eq!(got.text(), "data: {\"a\":\"é\"}\n\ndata: b\n\n");
    Ok(())
}

#[tokio::test]
async fn a_fault_is_laid_over_a_record() -> Tested {
    let got = play(&small()?, Cut::Event, Some(Fault::CutAfter(0))).await?;
    assert!(got.broken);
    assert_eq!(got.text(), "data: {\"a\":\"é\"}\n\n");
    let got = play(&small()?, Cut::Event, Some(Fault::NoDone)).await?;
    assert_eq!(got.text(), "data: {\"a\":\"é\"}\n\ndata: b\n\n: c\n\n");
    Ok(())
}

#[tokio::test]
async fn a_default_record_leaves_the_models_alone() -> Tested {
    let provider = Provider::start(Script::of(Answer::recorded(small()?))).await?;
    let get = Request::get("/v1/models").header("host", "h").body(Full::<Bytes>::default())?;
    assert_eq!(send(&provider, get).await?.json()["object"], "list");
    Ok(())
}

#[tokio::test]
async fn recorded_traffic_is_played_byte_for_byte() -> Tested {
    if corpus::require("playing records over a connection").is_none() {
        return Ok(());
    }
    // One of each provider, endpoint and framing is enough to meet every kind of header and body.
    let mut kinds = std::collections::BTreeSet::new();
    let mut cases = corpus::cases(&|case| case.capture == "wire");
    cases.retain(|case| {
        kinds.insert((case.provider.clone(), case.api.clone(), case.framing.clone(), case.status))
    });
    assert!(cases.len() > 50);
    for case in &cases {
        let got = play(case, Cut::usual(case), None).await?;
        assert_eq!((got.status, got.broken), (case.status, false), "{}", case.id);
        assert_eq!(got.body, case.body_bytes()?, "{}", case.id);
        let half = play(case, Cut::Drop, None).await?;
        assert!(half.broken, "{}", case.id);
        assert_eq!(half.body, case.pieces(Cut::Drop)?.concat(), "{}", case.id);
    }
    Ok(())
}
