//! Whether a target may be asked now, and when again.
//!
//! Pure: no clock, no chance, no IO. `now` is the time since any origin, as long as it is always
//! the same one and never runs back; a roll of the dice is a number in [0, 1). A *target* is
//! provider + model + credential, an *attempt* is one ask to one target, a *failure* is how an
//! attempt ended badly, its *fault* is whose doing that was; only the provider's count against a
//! target.
//!
//! The [`Board`] composes the parts: it orders candidates, lets attempts begin, hears how they
//! ended, and tells a page of it. The parts stand alone too: [`Breaker`], [`Limit`],
//! [`RetryBudget`] and [`pause`], a request's [`Budget`], [`PeakEwma`] and [`Quantile`], [`Repute`].
//!
//! ```
//! use std::time::Duration;
//!
//! use health::{Board, Candidate, TargetKey, Policies, Report, Why};
//! use ir::Kind;
//!
//! let mut board = Board::new(Policies::default());
//! let target = |provider: &str| TargetKey::new(provider, "large", "main");
//! let candidates = ["north", "south"].map(|p| Candidate { key: target(p), weight: 1 });
//!
//! let now = Duration::from_secs(1);
//! for _ in 0..5 {
//!     let pass = board.ask(now, &target("north")).unwrap();
//!     board.told(now, pass, Report::failed(Kind::Unreachable));
//! }
//! let refusal = board.ask(now, &target("north")).unwrap_err();
//! assert_eq!(refusal.why, Why::Open);
//! assert_eq!(refusal.again, Some(Duration::from_secs(5)));
//! assert_eq!(board.order(now, &candidates, [0.1, 0.9]), [1, 0]);
//! ```

mod board;
mod breaker;
mod budget;
mod choice;
mod credential;
mod latency;
mod limit;
mod refusal;
mod retry;
mod slide;
mod target;
mod verdict;
mod view;

pub use board::{Board, Candidate, Pass};
pub use breaker::{Breaker, BreakerPolicy, Circuit, Judged, Refused, Ticket};
pub use budget::{Budget, Spent};
pub use credential::{Repute, Standing, StandingPolicy};
pub use latency::{HedgeBudget, LatencyPolicy, PeakEwma, Quantile};
pub use limit::{Felt, Limit, LimitPolicy, Seat};
pub use refusal::{Refusal, Why};
pub use retry::{Backoff, RetryBudget, RetryBudgetPolicy, pause};
pub use target::{Policies, TargetKey};
pub use verdict::{Report, Stands, Verdict, verdict};
pub use view::View;
