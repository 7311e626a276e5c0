//! Reading a stream up to where it may go out: its first content, a valid beginning, or its end,
//! as the task says.

use check::Prefix;
use ir::{Failure, Kind};
use router::Commit;
use tokio::time::Instant;

use crate::attempt::{ANSWER_LIMIT, Terms, substantial};
use crate::open::Open;
use crate::pursue::{Rest, Won};
use crate::stream::{Batch, End, Feed};

/// Reads a stream up to where it may go out; says whether it is a refusal.
pub(crate) async fn begin(
    mut feed: Feed,
    open: &mut Open,
    terms: &Terms<'_>,
    limit: Instant,
) -> Result<(Won, bool), Failure> {
    let mut held = Vec::new();
    // A held answer has the whole request's time to end; the attempt's own limit is for its start.
    let mut until = limit;
    let mut size = 0;
    loop {
        let batch = feed.next(until).await;
        size += batch.pass.len();
        if size > ANSWER_LIMIT {
            let said = format!("the answer held is larger than {ANSWER_LIMIT} bytes");
            return Err(Failure::new(Kind::MalformedReply, said));
        }
        let Batch { pass, content, end } = batch;
        if !pass.is_empty() {
            held.push(pass);
        }
        if content {
            open.first();
            until = terms.deadline;
        }
        open.progress(feed.usage.as_ref(), feed.written);
        open.named(feed.answer.as_ref());
        match end {
            Some(End::Finished(last)) => {
                open.complete();
                let refusal = substantial(feed.substance())?;
                let mended = feed.judge_held(open)?;
                let (held, last) = match mended {
                    Some(mended) => (vec![mended.into()], bytes::Bytes::new()),
                    None => (held, last),
                };
                return Ok((Won::Stream { held, rest: Rest::Finished(last) }, refusal));
            }
            Some(End::Failed(failure)) => return Err(failure),
            None if content && may_go(&feed, terms)? => {
                return Ok((Won::Stream { held, rest: Rest::Flowing(Box::new(feed)) }, false));
            }
            None => {}
        }
    }
}

/// Returns whether what has come may go out; a beginning that will not become valid is a failure.
fn may_go(feed: &Feed, terms: &Terms<'_>) -> Result<bool, Failure> {
    match (terms.commit, &terms.judge) {
        (Commit::Checked, _) => Ok(false),
        (_, Some(judge)) if judge.holds() => Ok(false),
        (Commit::Prefix, Some(judge)) => match judge.prefix(feed.beginning()) {
            Prefix::Valid => Ok(true),
            Prefix::Undecided => Ok(false),
            Prefix::Invalid(why) => {
                let said = format!("the answer begins as it must not: {why}");
                Err(Failure::new(Kind::Rejected, said))
            }
        },
        (Commit::FirstToken | Commit::Prefix, _) => Ok(true),
    }
}
