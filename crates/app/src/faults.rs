//! The fault suite: a wall of scripted faults behind any gateway, and what its clients see of them.
//!
//! A row is one request with a model of its own. The model's name selects the fault at the wall
//! (`scenario`, `row`, `wall`); a raw client asks the gateway for it (`target`, `client`); what it
//! heard (`sse`, `heard`, `content`) and what the wall saw is judged (`judge`, `trace`) and told
//! (`report`). Nothing here knows how a gateway works inside.

mod client;
mod configs;
mod content;
mod heard;
mod judge;
mod own;
mod play;
mod report;
mod row;
mod scenario;
mod sse;
mod target;
mod trace;
mod wall;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use configs::{as_script, litellm, pointsman, portkey};
pub(crate) use judge::JUDGES;
pub(crate) use own::Own;
pub(crate) use report::{Report, compare};
pub(crate) use row::{Row, rows};
pub(crate) use scenario::{Expected, SCENARIOS, expected};
pub(crate) use target::{Target, headers, read_headers};
pub(crate) use wall::{Address, Wall};

/// Runs rows against a gateway in front of a wall.
pub(crate) async fn run(
    rows: &[Row],
    target: Target,
    wall: Wall,
    at_once: usize,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let (target, wall) = (Arc::new(target), Arc::new(wall));
    let rows: Vec<Row> = rows.iter().filter(|row| target.takes(row)).cloned().collect();
    let played = play::play(&rows, &target, &wall, at_once).await?;
    Ok(Report::new(target.name.clone(), played, began))
}
