//! Quirks as a record writes them: each optional, so that a model's say wins over that of the
//! dialect it is spoken to in, that over the whole record's, and that over the dialect's habit.
//! Their meaning is in [`ir::dialect`].

use ir::dialect::{
    AdditionalFields, CacheMarks, CallIds, CapField, CustomTools, DeveloperRole, Form, Prefill,
    Quirks, Sampling, SchemaBesideTools, SchemaBy, Signatures, StreamUsage, ThinkingBy,
    ThinkingOff, ThoughtsField,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a host does differently from its dialect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuirks {
    /// Whether usage at the end of a stream must be asked for.
    pub stream_usage: Option<StreamUsageName>,
    /// How an answer is made to fit a schema.
    pub schema: Option<SchemaByName>,
    /// Which field of OpenAI chat takes the thoughts of earlier turns.
    pub thoughts: Option<ThoughtsFieldName>,
    /// Which field of OpenAI chat caps the answer.
    pub cap: Option<CapFieldName>,
    /// Whether the role `developer` is known.
    pub developer: Option<DeveloperRoleName>,
    /// Which prompt-cache marks are taken here.
    pub cache_marks: Option<CacheMarksName>,
    /// Which ids of tool calls are taken.
    pub call_ids: Option<CallIdsName>,
    /// How OpenAI's dialects are told of a tool of free text by a request of another dialect.
    pub custom_tools: Option<CustomToolsName>,
    /// Where the body of a request differs.
    pub form: Option<FormName>,
    /// In whose words Bedrock's converse is told what it has no fields of its own for.
    pub additional: Option<AdditionalFieldsName>,
    /// How a model of Anthropic's is told to think by a request of another dialect.
    pub thinking: Option<ThinkingByName>,
    /// Which settings of sampling a model takes.
    pub sampling: Option<SamplingName>,
    /// Whether a model of Google's can be told not to think by a request of another dialect.
    pub thinking_off: Option<ThinkingOffName>,
    /// What stands on a call that a model of Google's did not make itself.
    pub signatures: Option<SignaturesName>,
    /// How an answer of Gemini's is made to fit a schema where the request has tools too.
    pub schema_beside_tools: Option<SchemaBesideToolsName>,
    /// Whether a model goes on with the beginning of an answer.
    pub prefill: Option<PrefillName>,
}

impl RecordQuirks {
    /// Fills what is not said here with what `under` says.
    pub(crate) fn over(self, under: Self) -> Self {
        Self {
            stream_usage: self.stream_usage.or(under.stream_usage),
            schema: self.schema.or(under.schema),
            thoughts: self.thoughts.or(under.thoughts),
            cap: self.cap.or(under.cap),
            developer: self.developer.or(under.developer),
            cache_marks: self.cache_marks.or(under.cache_marks),
            call_ids: self.call_ids.or(under.call_ids),
            custom_tools: self.custom_tools.or(under.custom_tools),
            form: self.form.or(under.form),
            additional: self.additional.or(under.additional),
            thinking: self.thinking.or(under.thinking),
            sampling: self.sampling.or(under.sampling),
            thinking_off: self.thinking_off.or(under.thinking_off),
            signatures: self.signatures.or(under.signatures),
            schema_beside_tools: self.schema_beside_tools.or(under.schema_beside_tools),
            prefill: self.prefill.or(under.prefill),
        }
    }

    /// Returns what is said here, and of the rest what `under` says.
    pub fn upon(self, under: Quirks) -> Quirks {
        Quirks {
            stream_usage: self.stream_usage.map_or(under.stream_usage, Into::into),
            schema: self.schema.map_or(under.schema, Into::into),
            thoughts: self.thoughts.map_or(under.thoughts, Into::into),
            cap: self.cap.map_or(under.cap, Into::into),
            developer: self.developer.map_or(under.developer, Into::into),
            cache_marks: self.cache_marks.map_or(under.cache_marks, Into::into),
            call_ids: self.call_ids.map_or(under.call_ids, Into::into),
            custom_tools: self.custom_tools.map_or(under.custom_tools, Into::into),
            form: self.form.map_or(under.form, Into::into),
            additional: self.additional.map_or(under.additional, Into::into),
            thinking: self.thinking.map_or(under.thinking, Into::into),
            sampling: self.sampling.map_or(under.sampling, Into::into),
            thinking_off: self.thinking_off.map_or(under.thinking_off, Into::into),
            signatures: self.signatures.map_or(under.signatures, Into::into),
            schema_beside_tools: self
                .schema_beside_tools
                .map_or(under.schema_beside_tools, Into::into),
            prefill: self.prefill.map_or(under.prefill, Into::into),
        }
    }
}

/// Gives an enum of `ir` the names that records use for it: its variants in snake case.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident for $meant:ident { $($(#[$said:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$said])* $variant,)*
        }

        impl From<$name> for $meant {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => Self::$variant,)*
                }
            }
        }
    };
}

named! {
    /// How a host reports usage in a stream.
    StreamUsageName for StreamUsage {
        /// Only when it is asked to.
        Ask,
        /// Always, unasked.
        Always,
    }
}

named! {
    /// How an answer is made to fit a schema.
    SchemaByName for SchemaBy {
        /// By the dialect's own field.
        Native,
        /// By a tool that the model must call.
        Tool,
        /// By JSON mode and words in the instructions.
        Prompt,
    }
}

named! {
    /// Which field of OpenAI chat takes the thoughts of earlier turns.
    ThoughtsFieldName for ThoughtsField {
        /// None: thoughts do not go back.
        None,
        /// `reasoning_content`.
        ReasoningContent,
        /// `reasoning`.
        Reasoning,
        /// `reasoning_details`, with signatures.
        Details,
    }
}

named! {
    /// Which field of OpenAI chat caps the answer.
    CapFieldName for CapField {
        /// `max_completion_tokens`.
        MaxCompletionTokens,
        /// `max_tokens`.
        MaxTokens,
    }
}

named! {
    /// Whether the role `developer` is known.
    DeveloperRoleName for DeveloperRole {
        /// It is.
        Known,
        /// It is told as `system`.
        AsSystem,
    }
}

named! {
    /// Which prompt-cache marks are taken.
    CacheMarksName for CacheMarks {
        /// None.
        None,
        /// `cache_control` on a part of OpenAI chat.
        CacheControl,
        /// `cachePoint` of Bedrock's converse, among the tools too, with a time.
        CachePoint,
        /// `cachePoint` of Bedrock's converse among what is said alone, without a time.
        CachePointText,
    }
}

named! {
    /// Which ids of tool calls are taken.
    CallIdsName for CallIds {
        /// Those of the dialect.
        Any,
        /// Nine letters and digits.
        Nine,
    }
}

named! {
    /// How OpenAI's dialects are told of a tool of free text by a request of another dialect.
    CustomToolsName for CustomTools {
        /// As a function with one text.
        AsFunction,
        /// As what it is.
        Native,
    }
}

named! {
    /// Where the body of a request differs.
    FormName for Form {
        /// Nowhere.
        Plain,
        /// Anthropic's messages at Vertex: the model stands in the path, the version in the body.
        Vertex,
    }
}

named! {
    /// In whose words Bedrock's converse is told how to think.
    AdditionalFieldsName for AdditionalFields {
        /// `thinking` with a budget of tokens (Claude up to 4.5).
        Thinking,
        /// `thinking: adaptive` with an effort (Claude from 4.6).
        Adaptive,
        /// `reasoning_effort` (gpt-oss).
        ReasoningEffort,
        /// `reasoningConfig` (Nova).
        ReasoningConfig,
    }
}

named! {
    /// How a model of Anthropic's is told to think by a request of another dialect.
    ThinkingByName for ThinkingBy {
        /// As the caller says it: in tokens or by effort.
        AsSaid,
        /// By a budget of tokens.
        Budget,
        /// By effort.
        Effort,
    }
}

named! {
    /// Which settings of sampling a model takes.
    SamplingName for Sampling {
        /// Any.
        Any,
        /// A temperature or `top_p`, not both.
        One,
        /// None.
        None,
    }
}

named! {
    /// Whether a model of Google's can be told not to think by a request of another dialect.
    ThinkingOffName for ThinkingOff {
        /// It cannot.
        Never,
        /// By a budget of nothing.
        Budget,
    }
}

named! {
    /// What stands on a call that a model of Google's did not make itself.
    SignaturesName for Signatures {
        /// Nothing.
        None,
        /// The signature that Google names for calls of other models.
        Dummy,
    }
}

named! {
    /// Whether a model goes on with the beginning of an answer.
    PrefillName for Prefill {
        /// It does not.
        None,
        /// From a last turn of the assistant's.
        Turn,
        /// From a last turn of the assistant's with `prefix: true`.
        Prefix,
    }
}

named! {
    /// How an answer of Gemini's is made to fit a schema where the request has tools too.
    SchemaBesideToolsName for SchemaBesideTools {
        /// As without tools.
        Same,
        /// By one more tool, and JSON without a schema by words.
        Tool,
    }
}
