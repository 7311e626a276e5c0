//! Ollama's own `/api/chat`, the client half: spoken to it, never to us.
//!
//! Sources: Ollama's published API description and recorded traffic. Its streams are lines of JSON,
//! each an answer's next piece. Arguments are objects, calls often have no id, pictures are bytes
//! beside the text. No client speaks this dialect, so what a request kept of its own dialect has no
//! home here.
//!
//! Read into one: an empty text and none.

pub mod events;
pub mod request;
pub mod response;
