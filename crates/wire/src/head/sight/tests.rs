use ir::Inbound;
use proptest::prelude::*;

use super::{Sight, look};

fn seen(inbound: Inbound, said: &str) -> Sight {
    Sight { prose: 0, ..look(inbound, said, "[]") }
}

#[test]
fn what_a_provider_keeps_is_seen() {
    let kept = |field| Sight { kept: Some(field), ..Sight::default() };
    let said = r#"[{"content":[{"type":"input_file","file_id" : "f"}]}]"#;
    assert_eq!(seen(Inbound::OpenaiResponses, said), kept("file_id"));
    let said = r#"[{"type":"item_reference","id":"msg_1"}]"#;
    assert_eq!(seen(Inbound::OpenaiResponses, said), kept("item_reference"));
    let said = r#"[{"parts":[{"fileData":{"fileUri":"gs://a/b"}}]}]"#;
    assert_eq!(seen(Inbound::Gemini, said), kept("fileUri"));
    let said = r#"[{"parts":[{"fileData":{"fileUri":"https://example.org/a.pdf"}}]}]"#;
    assert_eq!(seen(Inbound::Gemini, said), Sight::default());
}

#[test]
fn texts_and_what_tools_are_given_are_nothing() {
    let said = r#"[{"role":"user","content":"say \"file_id\": \"f\""},
        {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f",
        "input":{"file_id":"x","type":"image","signature":"s","a":["{\"]"]}}]}]"#;
    assert_eq!(seen(Inbound::AnthropicMessages, said), Sight::default());
    let said = r#"[{"parts":[{"functionCall":{"name":"f","args":{"mimeType":"image/png"}}}]}]"#;
    assert_eq!(seen(Inbound::Gemini, said), Sight::default());
}

#[test]
fn pictures_and_signed_thoughts_are_seen() {
    let said = r#"[{"content":[{"type": "image_url","image_url":{"url":"https://a.b/c"}}]}]"#;
    assert!(seen(Inbound::OpenaiChat, said).images);
    let said = r#"[{"content":[{"type":"thinking","thinking":"","signature":"EqQB"}]}]"#;
    let sealed = Sight { sealed: true, ..Sight::default() };
    assert_eq!(seen(Inbound::AnthropicMessages, said), sealed);
    let said = r#"[{"content":[{"type":"thinking","thinking":"","signature":""}]}]"#;
    assert_eq!(seen(Inbound::AnthropicMessages, said), Sight::default());
}

#[test]
fn what_was_made_here_is_seen() {
    let said = r#"[{"parts":[{"text":"","thoughtSignature":"cG0xLnRoaXMuYW50aHJvcGlj"}]}]"#;
    assert!(seen(Inbound::Gemini, said).enveloped);
    let said = r#"[{"content":[{"type":"thinking","signature":"pm1.this.gemini.e30"}]}]"#;
    assert!(seen(Inbound::AnthropicMessages, said).enveloped);
    let said = r#"[{"type":"message","id":"msg_pm0123","content":[]}]"#;
    let made = seen(Inbound::OpenaiResponses, said);
    assert!(made.enveloped && made.unkept && made.kept.is_none());
    let said = r#"[{"content":"pm1.5 release notes"}]"#;
    assert!(!seen(Inbound::AnthropicMessages, said).enveloped);
}

#[test]
fn data_is_no_prose() {
    let data = "QUJD".repeat(1_000);
    let said = format!(r#"[{{"source":{{"data":"{data}"}}}},{{"text":"twelve bytes"}}]"#);
    assert_eq!(look(Inbound::AnthropicMessages, &said, "[]").prose, "\"twelve bytes\"".len());
    let russian = "\\u043f".repeat(1_000);
    let said = format!(r#"[{{"text":"{russian}"}}]"#);
    assert_eq!(look(Inbound::AnthropicMessages, &said, "[]").prose, russian.len() + 2);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\",:a-z\\\\ ]{0,80}") {
        for inbound in Inbound::ALL {
            look(inbound, &text, &text);
        }
    }
}
