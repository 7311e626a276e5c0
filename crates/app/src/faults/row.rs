//! Rows: a scenario asked by one client, in one shape, at one moment, with or without a fallback.
//! Each row has a model of its own, so that no breaker and no counter of one meets another.

use serde_json::{Value, json};

use super::scenario::{Play, SCENARIOS, Says, Scenario};

/// What the healthy model says.
pub(crate) const FALLBACK: &str = "The healthy provider answers in these nine words here.";
/// What the faulty model says as far as it comes.
pub(crate) const PRIMARY: &str = "alpha bravo charlie delta echo foxtrot golf hotel";
/// The arguments with which the faulty model calls a tool.
pub(crate) const ARGUMENTS: &str = r#"{"india":"juliett kilo lima","mike":["november","oscar"]}"#;
/// The healthy model.
pub(crate) const HEALTHY: &str = "ok";

/// A request of the suite.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What goes wrong.
    pub(crate) scenario: &'static Scenario,
    /// Whose dialect the client speaks.
    pub(crate) client: Client,
    /// How it wants the answer.
    pub(crate) shape: Shape,
    /// When it goes wrong.
    pub(crate) when: When,
    /// Whether there is a fallback.
    pub(crate) route: Route,
}

/// Whose dialect a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// OpenAI's chat completions.
    Openai,
    /// Anthropic's messages.
    Anthropic,
}

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In one body.
    Whole,
    /// As events.
    Stream,
}

/// When it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the client can have seen content.
    Before,
    /// After the provider sent content.
    After,
}

/// Whether there is another model to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The healthy one.
    Fallback,
    /// None.
    Alone,
}

impl Client {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

impl Shape {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Stream => "stream",
        }
    }
}

impl When {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl Route {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Alone => "alone",
        }
    }
}

/// Returns every row, in the order of the table.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        let clients = [Client::Openai, Client::Anthropic];
        let clients = &clients[..if scenario.messages { 2 } else { 1 }];
        for client in clients {
            for (shape, when, fault) in moments(scenario) {
                if fault.is_empty() {
                    continue;
                }
                let row = |route| Row { scenario, client: *client, shape, when, route };
                rows.extend([row(Route::Fallback), row(Route::Alone)]);
            }
        }
    }
    rows
}

fn moments(scenario: &Scenario) -> [(Shape, When, &'static str); 3] {
    [
        (Shape::Whole, When::Before, scenario.whole),
        (Shape::Stream, When::Before, scenario.before),
        (Shape::Stream, When::After, scenario.after),
    ]
}

impl Row {
    /// Returns the name of its model: lower case, digits, `-` and `_`.
    pub(crate) fn model(&self) -> String {
        let Self { scenario, client, shape, when, route } = self;
        let names = [scenario.name, client.name(), shape.name(), when.name(), route.name()];
        names.join("_")
    }

    /// Returns the fault of its model, as `testkit::Fault::parse` reads it.
    pub(crate) fn fault(&self) -> &'static str {
        match (self.shape, self.when) {
            (Shape::Whole, _) => self.scenario.whole,
            (Shape::Stream, When::Before) => self.scenario.before,
            (Shape::Stream, When::After) => self.scenario.after,
        }
    }

    /// Returns the body that asks for it, with a marker that the wall counts by.
    pub(crate) fn body(&self, model: &str, marker: &str) -> String {
        let said = format!("Say the words. [{marker}]");
        let messages = json!([{"role": "user", "content": said}]);
        let mut body = json!({"model": model, "max_tokens": 256, "messages": messages});
        if self.shape == Shape::Stream {
            body["stream"] = json!(true);
        }
        if self.scenario.says == Says::TextAndUsage {
            body["stream_options"] = json!({"include_usage": true});
        }
        if self.scenario.says == Says::Call {
            body["tools"] = json!([self.tool()]);
        }
        body.to_string()
    }

    fn tool(&self) -> Value {
        let schema = json!({"type": "object", "properties": {
            "india": {"type": "string"}, "mike": {"type": "array", "items": {"type": "string"}},
        }});
        let about = "Looks something up.";
        match self.client {
            Client::Openai => json!({"type": "function", "function": {
                "name": "look_up", "description": about, "parameters": schema,
            }}),
            Client::Anthropic => {
                json!({"name": "look_up", "description": about, "input_schema": schema})
            }
        }
    }

    /// Says whether the client stays until the answer has ended.
    pub(crate) fn stays(&self) -> bool {
        !matches!(self.scenario.play, Play::LeavesEarly | Play::LeavesLate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_model_of_its_own() {
        let mut models: Vec<_> = rows().iter().map(Row::model).collect();
        models.sort();
        let count = models.len();
        models.dedup();
        assert_eq!(models.len(), count);
        assert!(models.iter().all(|model| model.len() < 64));
    }
}
