use crate::{Answer, Checks, Finding, Shape, Wanted, Written};

const ENGLISH: &str = "The quick brown fox jumps over the lazy dog while the sun is shining.";
const GERMAN: &str =
    "Der schnelle braune Fuchs springt über den faulen Hund, und die Sonne scheint.";
const FRENCH: &str = "Le renard brun et rapide saute par-dessus le chien paresseux sous le soleil.";
const SPANISH: &str =
    "El rápido zorro marrón salta sobre el perro perezoso mientras brilla el sol.";
const ARABIC: &str = "يقفز الثعلب البني السريع فوق الكلب الكسول بينما تشرق الشمس.";
const CHINESE: &str = "敏捷的棕色狐狸跳过了懒惰的狗，太阳正在照耀着大地。";
const JAPANESE: &str = "素早い茶色の狐がのろまな犬を飛び越え、太陽が輝いている。";

fn found(written: &Written, text: &str) -> Finding {
    let checks = Checks::compile(written).unwrap();
    let wanted = Wanted {
        shape: Shape::Text,
        prompt: String::new(),
        tools: Vec::new(),
        hosted_tools: false,
    };
    let answer = Answer { text: text.into(), ..Answer::default() };
    crate::check(&checks, &wanted, &answer).findings.remove(0)
}

fn language(code: &str, text: &str, passes: bool, why: &str) {
    let written = Written { language: Some(code.to_owned()), ..Written::default() };
    let finding = found(&written, text);
    assert_eq!((finding.passed, finding.why.as_str()), (passes, why), "{text}");
}

fn script(name: &str, text: &str, passes: bool, why: &str) {
    let written = Written { script: Some(name.to_owned()), ..Written::default() };
    let finding = found(&written, text);
    assert_eq!((finding.passed, finding.why.as_str()), (passes, why), "{text}");
}

#[test]
fn an_answer_in_its_language_passes() {
    language("en", ENGLISH, true, "`en`");
    language("de", GERMAN, true, "`de`");
    language("fr", FRENCH, true, "`fr`");
    language("es", SPANISH, true, "`es`");
    language("ar", ARABIC, true, "`ar`");
    language("zh", CHINESE, true, "`zh`");
    language("ja", JAPANESE, true, "`ja`");
}

#[test]
fn an_answer_in_another_language_fails() {
    language("ar", ENGLISH, false, "`en`, not `ar`");
    language("en", ARABIC, false, "`ar`, not `en`");
    language("en", GERMAN, false, "`de`, not `en`");
    language("zh", JAPANESE, false, "`ja`, not `zh`");
    language("fr", CHINESE, false, "`zh`, not `fr`");
}

#[test]
fn foreign_names_and_terms_are_no_other_language() {
    let names =
        "团队与 Qwest 合作，于1998年建立了名为 Abilene 的网络，是 National LambdaRail 的投资者。";
    language("zh", names, true, "`zh`");
}

#[test]
fn too_short_to_tell_passes_with_a_note() {
    language("ar", "OK, done.", true, "6 bytes of letters, too few to tell");
    language("ar", "42", true, "0 bytes of letters, too few to tell");
}

#[test]
fn code_and_keys_are_not_spoken() {
    let code = "```python\nfor every_single_item in the_whole_list:\n    print(item)\n```";
    language("ar", &format!("{ARABIC}\n{code}"), true, "`ar`");
    let json = format!(r#"{{"a_summary_of_the_document_in_english_words": "{ARABIC}"}}"#);
    language("ar", &json, true, "`ar`");
}

#[test]
fn most_letters_decide_the_script() {
    script("Arabic", ARABIC, true, "49 of 49 letters are Arabic");
    script("Latin", ARABIC, false, "0 of 49 letters are Latin");
    script("Han", "GPT 是一个语言模型", true, "7 of 10 letters are Han");
    script("Arabic", "42 %", true, "no letters to tell by");
}

#[test]
fn every_known_script_compiles() {
    for name in super::SCRIPTS {
        assert!(super::script(name).is_ok(), "{name}");
    }
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let help = |written: &Written| Checks::compile(written).unwrap_err().remove(0).help.unwrap();
    let of = |code: &str| Written { language: Some(code.to_owned()), ..Written::default() };
    assert_eq!(help(&of("arabic")), "did you mean `ar`, Arabic?");
    assert_eq!(help(&of("en-GB")), "did you mean `en`, English?");
    assert_eq!(help(&of("xx")), "use a code of ISO 639-1, such as `en`, `ar` or `zh`");
    let of = |name: &str| Written { script: Some(name.to_owned()), ..Written::default() };
    assert_eq!(help(&of("arab")), "did you mean `Arabic`?");
}
