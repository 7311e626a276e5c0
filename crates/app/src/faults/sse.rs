//! A reader of server-sent events for judging: written apart from the gateway's own, and strict
//! about what a client's reader would have to guess.

/// An event: its name, where it has one, and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// What `event:` says.
    pub(crate) name: String,
    /// What its `data:` lines say.
    pub(crate) data: String,
}

/// What a body of events holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Events {
    /// The events that are complete.
    pub(crate) events: Vec<Event>,
    /// Whether bytes are left that no blank line ends.
    pub(crate) unfinished: bool,
}

/// Reads a body of events; comments and fields that nobody uses are skipped.
pub(crate) fn read(body: &[u8]) -> Events {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let line = line.trim_end_matches('\n');
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data));
                if !data.is_empty() {
                    events.push(Event { name, data: data.join("\n") });
                }
            }
            "event" => value.clone_into(&mut name),
            "data" => data.push(value.to_owned()),
            // A line that is no field at all is data that came astray.
            other if !other.is_empty() && !is_field(other) => data.push(line.to_owned()),
            _ => {}
        }
    }
    let last = text.rsplit('\n').next().unwrap_or_default();
    Events { events, unfinished: !data.is_empty() || !last.is_empty() }
}

fn is_field(name: &str) -> bool {
    matches!(name, "id" | "retry")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(body: &str) -> Vec<String> {
        read(body.as_bytes()).events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn events_are_read_whatever_ends_their_lines() {
        assert_eq!(
            data("data: a\n\n: quiet\n\ndata:b\r\n\r\nid: 1\ndata: c\ndata: d\n\n"),
            ["a", "b", "c\nd"]
        );
        let named = read(b"event: error\ndata: {}\n\n").events;
        assert_eq!(named, [Event { name: "error".to_owned(), data: "{}".to_owned() }]);
    }

    #[test]
    fn what_is_left_over_is_told() {
        assert!(!read(b"data: a\n\n").unfinished);
        assert!(read(b"data: a\n\ndata: b\n").unfinished);
        assert!(read(b"data: a\n\nda").unfinished);
        assert_eq!(data("data: a\n\nJUNK\n\n"), ["a", "JUNK"]);
    }
}
