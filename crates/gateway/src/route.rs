//! Paths: what a client asks for, whatever it does to the path.
//!
//! Base URLs work with and without their version and with doubled slashes, ids may hold slashes,
//! and a query never changes the route.

use hyper::header::{HeaderMap, UPGRADE};
use hyper::{Method, Uri};
use ir::Inbound;
use wire::head::Told;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A conversation in a dialect, with what the path says of it.
    Converse(Inbound, Option<Told>),
    /// How many tokens a conversation has, with what the path says of it.
    Count(Inbound, Option<Told>),
    /// `POST /v1/embeddings`.
    Embed,
    /// The list of models.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
    /// `GET /api/decisions/{id}`.
    Decision(String),
    /// `GET /api/health/targets`.
    Targets,
    /// `GET /metrics`.
    Metrics,
    /// `GET /health/live`.
    Live,
    /// `GET /health/ready`.
    Ready,
    /// `HEAD /` and `GET /`.
    Root,
    /// A conversation over a WebSocket, which is not spoken here: the client goes on over HTTP.
    WebSocket,
    /// A known path with a method it does not take.
    WrongMethod {
        /// The method it takes.
        takes: &'static str,
    },
    /// Nothing lives there.
    Nowhere,
}

/// Reads the route of a request.
pub(crate) fn route(method: &Method, path: &str, headers: &HeaderMap) -> Route {
    let steps = steps(path);
    let steps = unversioned(&steps);
    let get = |route| match *method {
        Method::GET | Method::HEAD => route,
        _ => Route::WrongMethod { takes: "GET" },
    };
    let post = |route| match *method {
        Method::POST => route,
        _ => Route::WrongMethod { takes: "POST" },
    };
    match steps {
        [] => get(Route::Root),
        ["chat", "completions"] => post(Route::Converse(Inbound::OpenaiChat, None)),
        ["responses"] if *method == Method::GET && wants_websocket(headers) => Route::WebSocket,
        ["responses"] => post(Route::Converse(Inbound::OpenaiResponses, None)),
        ["messages"] => post(Route::Converse(Inbound::AnthropicMessages, None)),
        ["responses", "input_tokens"] => post(Route::Count(Inbound::OpenaiResponses, None)),
        ["messages", "count_tokens"] => post(Route::Count(Inbound::AnthropicMessages, None)),
        ["embeddings"] => post(Route::Embed),
        // Also below the projects and publishers that Vertex puts in front.
        [.., id] if is_asked(id) && steps.contains(&"models") => {
            let at = steps.iter().position(|step| *step == "models").unwrap_or(0);
            let id = decoded(&steps[at + 1..].join("/"));
            let asked = id.rsplit_once(':').and_then(|(model, verb)| gemini(model, verb));
            asked.map_or(Route::Nowhere, post)
        }
        ["models"] => get(Route::Models),
        ["models", id @ ..] => get(Route::Model(decoded(&id.join("/")))),
        ["api", "decisions", id] => get(Route::Decision((*id).to_owned())),
        ["api", "health", "targets"] => get(Route::Targets),
        ["metrics"] => get(Route::Metrics),
        ["health"] | ["health", "live"] => get(Route::Live),
        ["health", "ready"] => get(Route::Ready),
        _ => Route::Nowhere,
    }
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let wanted = headers.get(UPGRADE).and_then(|wanted| wanted.to_str().ok());
    wanted.is_some_and(|wanted| wanted.to_ascii_lowercase().contains("websocket"))
}

/// Google says in the path what is to be done with a model.
fn gemini(model: &str, verb: &str) -> Option<Route> {
    let told = |stream| Some(Told { model: model.to_owned(), stream });
    match verb {
        "generateContent" => Some(Route::Converse(Inbound::Gemini, told(false))),
        "streamGenerateContent" => Some(Route::Converse(Inbound::Gemini, told(true))),
        "countTokens" => Some(Route::Count(Inbound::Gemini, told(false))),
        _ => None,
    }
}

/// Returns the dialect in which a client is answered that may not even have found a path: the one
/// of the path, else of the version it names, else of the header its key came in.
pub(crate) fn dialect(uri: &Uri, headers: &HeaderMap) -> Inbound {
    let all = steps(uri.path());
    match (unversioned(&all), all.first()) {
        (["chat", ..], _) => Inbound::OpenaiChat,
        (["responses", ..], _) => Inbound::OpenaiResponses,
        (["messages", ..], _) => Inbound::AnthropicMessages,
        (_, Some(&"v1beta" | &"v1beta1" | &"v1alpha")) => Inbound::Gemini,
        ([.., id], _) if is_asked(id) => Inbound::Gemini,
        _ if headers.contains_key("anthropic-version") => Inbound::AnthropicMessages,
        _ if headers.contains_key("x-goog-api-key") => Inbound::Gemini,
        _ => Inbound::OpenaiChat,
    }
}

/// Returns whether the last step of a path asks a model of Google's dialect for something; other
/// ids may hold a colon too.
fn is_asked(step: &str) -> bool {
    decoded(step).rsplit_once(':').is_some_and(|(model, verb)| gemini(model, verb).is_some())
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

fn unversioned<'a, 's>(steps: &'a [&'s str]) -> &'a [&'s str] {
    // A base URL that ends in a version, and a client that adds one.
    match steps {
        ["v1" | "v1beta" | "v1beta1" | "v1alpha", rest @ ..] => unversioned(rest),
        all => all,
    }
}

/// Decodes `%2F` and its like; what is no escape stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use hyper::header::UPGRADE;
    use hyper::{HeaderMap, Method};
    use ir::Inbound;
    use wire::head::Told;

    use super::Route;

    fn route(method: &Method, path: &str) -> Route {
        super::route(method, path, &HeaderMap::new())
    }

    #[test]
    fn base_urls_work_however_they_are_written() {
        let chat = Route::Converse(Inbound::OpenaiChat, None);
        for path in ["/v1/chat/completions", "/chat/completions", "//v1//chat/completions/"] {
            assert_eq!(route(&Method::POST, path), chat, "{path}");
        }
        assert_eq!(
            route(&Method::GET, "/v1/chat/completions"),
            Route::WrongMethod { takes: "POST" }
        );
        assert_eq!(route(&Method::POST, "/v2/chat/completions"), Route::Nowhere);
    }

    #[test]
    fn every_dialect_has_its_path() {
        let messages = Route::Converse(Inbound::AnthropicMessages, None);
        assert_eq!(route(&Method::POST, "/v1/messages"), messages);
        let count = Route::Count(Inbound::AnthropicMessages, None);
        assert_eq!(route(&Method::POST, "/v1/messages/count_tokens"), count);
        let told = |stream| Some(Told { model: "openai/gpt-4o".to_owned(), stream });
        for (path, stream) in [
            ("/v1beta/models/openai/gpt-4o:generateContent", false),
            ("/v1beta/v1beta/models/openai/gpt-4o:generateContent", false),
            (
                "/v1/projects/p/locations/l/publishers/google/models/openai/gpt-4o:generateContent",
                false,
            ),
            ("/v1/models/openai%2Fgpt-4o:streamGenerateContent", true),
            ("/v1beta/models/openai/gpt-4o%3AgenerateContent", false),
        ] {
            let gemini = Route::Converse(Inbound::Gemini, told(stream));
            assert_eq!(route(&Method::POST, path), gemini, "{path}");
        }
    }

    #[test]
    fn a_websocket_is_not_spoken() {
        let headers = HeaderMap::from_iter([(UPGRADE, "websocket".parse().unwrap())]);
        assert_eq!(super::route(&Method::GET, "/v1/responses", &headers), Route::WebSocket);
        assert_eq!(route(&Method::GET, "/v1/responses"), Route::WrongMethod { takes: "POST" });
    }

    #[test]
    fn ids_may_hold_slashes() {
        let id = |id: &str| Route::Model(id.to_owned());
        assert_eq!(route(&Method::GET, "/v1/models/openai/gpt-4o"), id("openai/gpt-4o"));
        assert_eq!(route(&Method::GET, "/v1/models/openai%2Fgpt-4o"), id("openai/gpt-4o"));
        assert_eq!(route(&Method::GET, "/v1/models/ollama/qwen3:8b"), id("ollama/qwen3:8b"));
        assert_eq!(route(&Method::GET, "/models/100%25%zz"), id("100%%zz"));
    }

    #[test]
    fn the_root_answers_probes() {
        assert_eq!(route(&Method::HEAD, "/"), Route::Root);
        assert_eq!(route(&Method::HEAD, "/v1"), Route::Root);
    }
}
