//! What labelled texts teach: hashed features of a text, linear models over them, how sure they may
//! be, and when they must not be believed.
//!
//! Pure: texts, numbers and seeds go in, models and figures come out; the same ones for the same
//! seed. It opens no file and keeps no time. It knows nothing of requests, tasks or plans: whoever
//! uses it gives the labels their meaning.

pub mod hashed;
