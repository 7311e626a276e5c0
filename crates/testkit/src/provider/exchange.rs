//! What happens to a request: an answer in steps, a silence, or a reset. Data only, so that what
//! a fault does can be read off without a socket.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Response, StatusCode};

use super::steps::Playing;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// It is answered.
    Answer(Exchange),
    /// Nothing happens until the client hangs up.
    Hang,
    /// The connection is reset.
    Reset,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    /// Its status and headers.
    pub(super) head: Head,
    /// How its body is played.
    pub(super) steps: Vec<Step>,
}

impl Exchange {
    /// Returns the answer whose body comes in one piece.
    pub(super) fn whole(head: Head, body: Bytes) -> Self {
        Self { head, steps: vec![Step::Send(body)] }
    }

    /// Takes the body away where HTTP has none: then nobody reads it, and nobody hung up on it.
    pub(super) fn to(mut self, method: &Method) -> Self {
        if *method == Method::HEAD || matches!(self.head.status, 204 | 304) {
            self.steps.clear();
        }
        self
    }
}

/// A step in playing a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Writes these bytes.
    Send(Bytes),
    /// Waits this long.
    Wait(Duration),
    /// Does nothing until the client hangs up.
    Hang,
    /// Drops the connection.
    Break,
}

/// A status and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The status.
    pub(super) status: u16,
    /// Names and values.
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// Returns a head with a content type.
    pub(super) fn of(status: u16, content_type: &str) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), content_type.to_owned())] }
    }

    /// Returns the content type.
    pub(super) fn content_type(&self) -> Option<&str> {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the response; a header that HTTP cannot carry is left out, and so is the framing,
    /// which is the server's.
    pub(super) fn respond(self, body: Playing) -> Response<Playing> {
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name);
            let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) else { continue };
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                headers.append(name, value);
            }
        }
        response
    }
}
