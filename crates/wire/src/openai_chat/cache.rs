//! Prompt-cache marks: `cache_control` beside what they stand after (OpenRouter, Qwen, Vercel).
//!
//! Only the one published shape is a mark; any other stays among the extras of where it stood.

use ir::CacheMark;

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

const FIELD: &str = "cache_control";

/// Takes the mark out of the fields it stands among.
pub(super) fn take(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>, DecodeError> {
    let mark = fields.take_if(FIELD, |mark| read(mark).is_some(), |mark| Ok(read(mark)))?;
    Ok(mark.flatten())
}

fn read(mark: Value<'_, '_>) -> Option<CacheMark> {
    let mut fields = mark.object().ok()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text()).ok()??;
    let ttl = fields.take_if("ttl", |ttl| ttl.is_string(), |ttl| ttl.string()).ok()?;
    (kind == "ephemeral" && fields.left().next().is_none()).then_some(CacheMark { ttl })
}

/// Writes the mark where there is one.
pub(super) fn write(beside: &mut Object<'_>, mark: Option<&CacheMark>) {
    if let Some(CacheMark { ttl }) = mark {
        beside.nest(FIELD, |mark| {
            mark.field("type", "ephemeral");
            mark.optional("ttl", ttl.as_ref());
        });
    }
}
