//! Plays rows: asks the gateway as each row says, waits until the wall has seen the end of it, and
//! has it judged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use testkit::{Fault, Seen};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::{Asking, HangUp, Saw, ask};
use super::content::{Content, content};
use super::heard::Heard;
use super::judge::{Case, judge};
use super::report::Played;
use super::row::Row;
use super::scenario::Play;
use super::target::Target;
use super::trace::GRACE;
use super::wall::Wall;

/// A client that leaves early waits this long.
const EARLY: Duration = Duration::from_millis(500);
/// A word with which content has come.
const FIRST_WORD: &str = "alpha";
/// How often, and how far apart, a provider that recovers is asked.
const RECOVERING: (usize, Duration) = (12, Duration::from_secs(1));
/// How often a provider that flaps is asked.
const SEVERAL: usize = 6;
/// How long a gateway is watched when its client has gone.
const WATCHED: Duration = Duration::from_millis(2_500);

/// How long a gateway that was held up may need until it is at ease again: it answers so quickly, so
/// often in a row.
const AT_EASE: Duration = Duration::from_secs(60);
const QUICK: (Duration, usize) = (Duration::from_millis(300), 3);

/// Plays the rows, so many at once, and returns what became of them in their order. Those that are
/// much work come last and one by one, so that neither they nor others are judged by how busy
/// everything is.
pub(crate) async fn play(
    rows: &[Row],
    target: &Arc<Target>,
    wall: &Arc<Wall>,
    at_once: usize,
) -> anyhow::Result<Vec<Played>> {
    let seats = Arc::new(Semaphore::new(at_once.max(1)));
    let mut playing = JoinSet::new();
    let (apart, together): (Vec<_>, Vec<_>) =
        rows.iter().enumerate().partition(|(_, row)| is_much_work(row));
    for (number, row) in together {
        let (row, target, wall) = (row.clone(), Arc::clone(target), Arc::clone(wall));
        let seats = Arc::clone(&seats);
        playing.spawn(async move {
            // The semaphore is never closed, so a seat always comes.
            let _seat = seats.acquire_owned().await;
            (number, one(&row, &target, &wall, &marker(number)).await)
        });
    }
    let mut played = Vec::new();
    while let Some(done) = playing.join_next().await {
        played.push(done?);
    }
    for (number, row) in apart {
        let marker = marker(number);
        played.push((number, one(row, target, wall, &marker).await));
        at_ease(row, target, wall, &marker).await;
    }
    played.sort_by_key(|(number, _)| *number);
    Ok(played.into_iter().map(|(_, played)| played).collect())
}

/// Says whether a row may keep a gateway from doing anything else, or the machine.
fn is_much_work(row: &Row) -> bool {
    matches!(Fault::parse(row.fault()), Ok(Fault::OversizedAfter(_) | Fault::OneByteAtATime))
}

/// Waits until the gateway has done with a row and answers as usual, if only that a request is not
/// acceptable.
async fn at_ease(row: &Row, target: &Target, wall: &Wall, marker: &str) {
    let asking = target.asking(row, wall.address, "");
    let asking = Asking { headers: Vec::new(), body: "{}".to_owned(), ..asking };
    let (quick, often) = QUICK;
    let by = Instant::now() + AT_EASE;
    let mut in_a_row = 0;
    while in_a_row < often && Instant::now() < by {
        let saw = ask(&asking, HangUp::Never).await;
        let done = wall.seen(marker).iter().all(|seen| seen.ended().is_some());
        let well = done && saw.head.is_some() && saw.took() < quick;
        in_a_row = if well { in_a_row + 1 } else { 0 };
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn one(row: &Row, target: &Target, wall: &Wall, marker: &str) -> Played {
    let began = Instant::now();
    let asking = target.asking(row, wall.address, marker);
    let hear = |saw: Saw| {
        let heard = Heard::read(&saw, row.client, row.shape);
        (saw, heard)
    };
    let answers = match row.scenario.play {
        Play::Once => vec![hear(ask(&asking, HangUp::Never).await)],
        Play::LeavesEarly => vec![hear(ask(&asking, HangUp::After(EARLY)).await)],
        Play::LeavesLate => vec![hear(ask(&asking, HangUp::At(FIRST_WORD)).await)],
        Play::Several => {
            let mut answers = Vec::new();
            for _ in 0..SEVERAL {
                answers.push(hear(ask(&asking, HangUp::Never).await));
            }
            answers
        }
        Play::UntilRecovered => {
            let (most, pause) = RECOVERING;
            let mut answers = Vec::new();
            for _ in 0..most {
                answers.push(hear(ask(&asking, HangUp::Never).await));
                let recovered = answers
                    .last()
                    .is_some_and(|(_, heard)| content(row, heard) == Content::Primary);
                if recovered {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            answers
        }
    };
    let tried = settled(row, wall, marker).await;
    let case = Case { row, address: wall.address, answers: &answers, tried: &tried };
    let verdicts = judge(&case);
    Played::new(&case, verdicts, began)
}

/// Returns what the wall saw, once every request there has ended or had its time to.
async fn settled(row: &Row, wall: &Wall, marker: &str) -> Vec<Seen> {
    if !row.stays() {
        tokio::time::sleep(WATCHED).await;
    }
    let by = Instant::now() + GRACE + GRACE / 2;
    loop {
        let tried = wall.seen(marker);
        let open = tried.iter().any(|seen| seen.ended().is_none());
        if !open || Instant::now() > by {
            return tried;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Returns the words by which the wall knows the requests of a row.
fn marker(number: usize) -> String {
    format!("row {number:04} of {:08x}", nonce())
}

/// Tells runs apart that share a wall's memory: a gateway may still send what an earlier one asked.
fn nonce() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos()) ^ std::process::id()
}
