//! The canonical conversation: what is said, what it used, what it cost, how it failed.
//!
//! Every dialect is read into these types and written from them, so nothing here knows a wire
//! format, the time, a file or a socket. The types forbid what no dialect means: a tool choice
//! without tools, a tool result inside an assistant's turn, money as a float.
//!
//! # Glossary (one word per idea, in code, configuration, docs and pages)
//!
//! | word | means |
//! |---|---|
//! | provider | a host that serves models |
//! | model | what a provider calls a model; `provider/model` names it everywhere |
//! | dialect | a wire language: how a conversation is spelled |
//! | target | provider + model + credential: where an attempt goes |
//! | request, turn, part, event | a conversation sent; its turns; their parts; a streamed piece |
//! | ask / reply | what the gateway sends a target / what it gets back |
//! | task | what kind of work a request is |
//! | feature | what the router can see of a request |
//! | plan | ordered targets, and why |
//! | attempt | one ask to one target |
//! | failure, fault | how an attempt ended badly; whose fault that is |
//! | loss | a field that has no home in another dialect |
//! | hold | a reservation of money |
//! | ledger | one row an attempt |
//! | key, tenant | who may call |
//! | verdict | what a check says of an answer |
//! | suite, item, round, scorer, run | the parts of a benchmark |
//! | evidence | what a cell of the routing table rests on |
//! | pin | a model a request may not be moved away from |
//!
//! A price is exact arithmetic from the first digit to the ledger:
//!
//! ```
//! use ir::{Money, Rate, Tokens};
//!
//! let per_token = Rate::per_million("0.59").unwrap();
//! let cost = Money::of([(Tokens(1_000), per_token)]);
//! assert_eq!(cost.to_string(), "0.00059");
//! ```

pub mod dialect;
pub mod event;
pub mod extras;
pub mod failure;
pub mod money;
pub mod request;
pub mod response;
pub mod usage;

pub use dialect::{Dialect, Inbound, Loss, Opaque, Quirks, Seed};
pub use event::{Event, Fold, Grammar, PartKind, Scope, Spot, Ungrammatical};
pub use extras::{Extras, RawJson};
pub use failure::{Failure, Fault, Kind, Next};
pub use money::{Money, Rate, Tokens};
pub use request::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CacheMark, CallKind, Cap, Choice,
    Citation, File, Image, Logprobs, Mode, Output, Reasoning, Request, Said, Schema, Source, Text,
    Thinking, Tool, ToolCall, ToolResult, Toolbox, Turn, UserPart,
};
pub use response::{Candidate, Finish, Response};
pub use usage::{Counted, Usage};
