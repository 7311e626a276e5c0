//! Paths: what a client asks for, whatever it does to the path.
//!
//! Base URLs work with and without `/v1` and with doubled slashes, ids may hold slashes, and a
//! query never changes the route.

use hyper::Method;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
    /// `GET /api/decisions/{id}`.
    Decision(String),
    /// `GET /health/live`.
    Live,
    /// `GET /health/ready`.
    Ready,
    /// `HEAD /` and `GET /`.
    Root,
    /// A known path with a method it does not take.
    WrongMethod {
        /// The method it takes.
        takes: &'static str,
    },
    /// Nothing lives there.
    Nowhere,
}

/// Reads the route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    let steps = steps.strip_prefix(&["v1"]).unwrap_or(&steps);
    let get = |route| match *method {
        Method::GET | Method::HEAD => route,
        _ => Route::WrongMethod { takes: "GET" },
    };
    match steps {
        [] => get(Route::Root),
        ["chat", "completions"] if method == Method::POST => Route::Chat,
        ["chat", "completions"] => Route::WrongMethod { takes: "POST" },
        ["models"] => get(Route::Models),
        ["models", id @ ..] => get(Route::Model(decoded(&id.join("/")))),
        ["api", "decisions", id] => get(Route::Decision((*id).to_owned())),
        ["health"] | ["health", "live"] => get(Route::Live),
        ["health", "ready"] => get(Route::Ready),
        _ => Route::Nowhere,
    }
}

/// Decodes `%2F` and its like; what is no escape stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits =
            bytes.get(at + 1..at + 3).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::{Route, route};

    #[test]
    fn base_urls_work_however_they_are_written() {
        for path in ["/v1/chat/completions", "/chat/completions", "//v1//chat/completions/"] {
            assert_eq!(route(&Method::POST, path), Route::Chat, "{path}");
        }
        assert_eq!(
            route(&Method::GET, "/v1/chat/completions"),
            Route::WrongMethod { takes: "POST" }
        );
        assert_eq!(route(&Method::POST, "/v2/chat/completions"), Route::Nowhere);
    }

    #[test]
    fn ids_may_hold_slashes() {
        let id = |id: &str| Route::Model(id.to_owned());
        assert_eq!(route(&Method::GET, "/v1/models/openai/gpt-4o"), id("openai/gpt-4o"));
        assert_eq!(route(&Method::GET, "/v1/models/openai%2Fgpt-4o"), id("openai/gpt-4o"));
        assert_eq!(route(&Method::GET, "/models/100%25%zz"), id("100%%zz"));
    }

    #[test]
    fn the_root_answers_probes() {
        assert_eq!(route(&Method::HEAD, "/"), Route::Root);
        assert_eq!(route(&Method::HEAD, "/v1"), Route::Root);
    }
}
