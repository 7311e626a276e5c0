//! Which models a request goes to, in which order, and why.
//!
//! Pure: what the request shows of itself, the table, the catalogue and which providers can be
//! reached go in; a [`Plan`] comes out, in microseconds and always the same one. It opens no file,
//! keeps no time and knows no health: who can be reached is told by a function.
//!
//! ```
//! let table = router::Table::shipped();
//! let catalog = catalog::Catalog::shipped();
//! let ask = router::Ask { model: "task/translation", ..Default::default() };
//! let plan = router::plan(&ask, &table, &catalog, &|_| true).unwrap();
//! assert_eq!(plan.targets[0].name(), "qwen/qwen3.6-plus");
//! assert_eq!(plan.targets[1].name(), "openai/gpt-4o");
//! ```

mod limits;
mod needs;
mod pin;
mod plan;
mod table;
mod task;

pub use limits::{AttemptClocks, Commit, Limits};
pub use needs::{Lacks, Needs};
pub use pin::{Grip, Pin, To};
pub use plan::{NoPlan, Plan, Reason, Skipped, Step, plan, plan_embeddings};
pub use table::{Cell, Table, Written, check, warnings};
pub use task::{Ask, NamedBy, ROUTER_NAMES};
