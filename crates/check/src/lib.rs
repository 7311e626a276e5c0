//! Is this answer acceptable?
//!
//! [`Checks`] are what an operator asks of a task's answers, compiled from what is [`Written`];
//! [`Wanted`] is what the request asked for; [`Answer`] is what came. [`check`] says of each check
//! whether it passed, and why. The caller decides what becomes of the verdict.
//!
//! Nothing here knows the time, a file or a socket. A finding's reason is kept in records, so it
//! never quotes the answer or the prompt: it says sizes, places, counts and configured words.

mod answer;
mod checks;
mod contains;
mod json;
mod label;
mod language;
mod length;
mod measure;
mod prefix;
mod refusal;
mod repair;
mod schema;
mod tools;
mod verdict;
mod wanted;
mod written;

pub use answer::{Answer, Call};
pub use checks::{Checks, Wrong};
pub use prefix::{Prefix, prefix, prefix_at_end};
pub use repair::repair;
pub use schema::Schema;
pub use verdict::{Finding, Verdict, check};
pub use wanted::{Offered, Shape, Wanted};
pub use written::{Mode, Unit, Written, WrittenLength};
