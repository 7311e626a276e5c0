//! Reading a stream up to where it may go out: its first content, a valid beginning, or its end,
//! as the task says.

use check::Prefix;
use ir::{Failure, Kind};
use router::Commit;

use crate::attempt::{ANSWER_LIMIT, Terms, substantial};
use crate::judge::begins_badly;
use crate::open::Open;
use crate::pursue::{Rest, Won};
use crate::stream::{Batch, End, Feed};

/// Reads a stream up to where it may go out; says whether it is a refusal.
pub(crate) async fn begin(
    mut feed: Feed,
    open: &mut Open,
    terms: &Terms<'_>,
) -> Result<(Won, bool), Failure> {
    let mut held = Vec::new();
    let mut size = 0;
    loop {
        let batch = feed.next(terms.deadline).await;
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
    match (terms.commit, feed.witness()) {
        (Commit::Checked, _) => Ok(false),
        (_, Some(witness)) if witness.holds() => Ok(false),
        (Commit::Prefix, Some(witness)) => match witness.prefix() {
            Prefix::Valid => Ok(true),
            Prefix::Undecided => Ok(false),
            Prefix::Invalid(why) => Err(begins_badly(&why)),
        },
        (Commit::FirstToken | Commit::Prefix, _) => Ok(true),
    }
}
