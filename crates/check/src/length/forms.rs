//! How six languages ask for a length: the forms, the units, the numbers.

use crate::Unit;

/// How a language asks.
pub(super) struct Form {
    /// What it looks like: `N` is the number, `M` the end of a range, `U` the unit; what is in
    /// `most` and `least` makes it a bound.
    pub(super) pattern: &'static str,
    /// The units it counts in.
    pub(super) units: &'static str,
}

const ENGLISH: &str =
    "words?|sentences?|paragraphs?|characters?|bullet[- ]?points?|key points|main points";

const GERMAN: &str =
    "wörtern?|worten?|sätzen?|satz|absätzen?|absatz|zeichen|stichpunkten?|stichworten";

const FRENCH: &str = "mots?|phrases?|paragraphes?|caractères?|points";

const SPANISH: &str = "palabras?|frases?|oraciones|oración|párrafos?|caracteres|puntos|viñetas";

const CHINESE: &str = "字|句话?|句話|段话?|段落?|要点|要點|点|點";

const ARABIC: &str = "كلمة|كلمات|جملة|جمل|فقرة|فقرات|حرف[اً]?|أحرف|نقطة|نقاط";

/// Forms of asking.
pub(super) const FORMS: [Form; 10] = [
    Form {
        pattern: concat!(
            r"\b(?:in|using|use|with|write|give (?:me|us)|provide|(?:shorten|reduce|cut|condense|summari[sz]e)(?: \w+){0,3} to",
            r"|(?:essay|summary|text|story|article|paragraph|post|description|answer|response|report|version) of",
            r"|(?<most>(?:in |to |with |use )?(?:at most|under|within|no more than|not more than|fewer than|less than|up to|(?:a )?maximum of|max\.?|limit(?:ed)? (?:\w+ ){0,3}to|below|not exceed(?:ing)?))",
            r"|(?<least>(?:in |with |use )?(?:at least|no fewer than|no less than|(?:a )?minimum of)))",
            r"(?: (?:about|around|approximately|roughly|exactly|just|only|ca\.))? N(?: ?(?:-|–|to|or) ?M)?",
            r" (?:short |concise |brief |simple |full |complete |clear )?U\b(?<most2> or (?:less|fewer)| max(?:imum)?\b| at most| tops)?(?<least2> or more| minimum| at least)?",
        ),
        units: ENGLISH,
    },
    Form { pattern: r"\bbetween N and M U\b", units: ENGLISH },
    Form {
        pattern: concat!(
            r"\b(?:write|compose|draft|create|give|produce|generate|need|want|make|provide|prepare|tell)\b[^.!?\n]{0,24}?\bN(?:-|–| )U(?:-| )(?:long )?",
            r"(?:summary|essay|story|description|answer|response|explanation|paragraph|poem|overview|article|abstract|version|text|post|review|bio|list|reply|speech|definition|introduction|letter|email|blog)\b",
        ),
        units: "word|sentence|paragraph|character|bullet(?:-point)?",
    },
    Form {
        pattern: r"\b(?:in|mit|auf|(?<most>(?:in |mit |auf )?(?:höchstens|maximal|max\.|unter|weniger als|nicht mehr als|bis zu))|(?<least>(?:in |mit )?(?:mindestens|wenigstens)))(?: (?:etwa|ca\.|circa|ungefähr|rund|genau|nur))? N(?: ?(?:-|–|bis|oder) ?M)? (?:kurzen |einfachen |knappen )?U\b",
        units: GERMAN,
    },
    Form {
        pattern: r"\b(?:en|avec|de|(?<most>(?:en |de |avec )?(?:moins de|au plus|au maximum|maximum|pas plus de|max\.))|(?<least>(?:en |avec )?(?:au moins|minimum)))(?: (?:environ|exactement|seulement))? N(?: ?(?:-|–|à|ou) ?M)? (?:courtes? |simples? )?U\b(?<most2> (?:au )?max(?:imum)?\b| au plus)?(?<least2> (?:au )?minimum\b| au moins)?",
        units: FRENCH,
    },
    Form {
        pattern: r"\b(?:en|con|de|(?<most>(?:en |con )?(?:menos de|como máximo|máximo|a lo sumo|no más de|hasta))|(?<least>(?:en |con )?(?:al menos|como mínimo|mínimo)))(?: (?:unas|unos|aproximadamente|exactamente|solo))? N(?: ?(?:-|–|a|o) ?M)? U\b(?<most2> (?:como )?máximo| o menos)?(?<least2> (?:como )?mínimo| o más)?",
        units: SPANISH,
    },
    // Chinese, by what stands before and by what stands after.
    Form {
        pattern: r"(?:用|以|写|約|约|大约|大約|分|(?<most>不超过|不超過|不多于|最多|少于|控制在|限)|(?<least>至少|不少于|不低于)) ?N(?: ?(?:-|–|~|到|至) ?M)? ?(?:个|個|条|條)?U(?<most2>以内|以內|之内|以下)?",
        units: CHINESE,
    },
    Form {
        pattern: r"N(?: ?(?:-|–|~|到|至) ?M)? ?(?:个|個)?U(?:(?<most>以内|以內|之内|以下)|(?<least>以上)|左右|的(?:摘要|总结|總結|短文|文章|作文|故事|介绍|介紹|概述|说明))",
        units: CHINESE,
    },
    Form {
        pattern: r"(?:في حدود|في|من|(?<most>لا (?:يتجاوز|تتجاوز|يزيد عن|تزيد عن)|بحد أقصى|(?:في |ب)?أقل من)|(?<least>لا (?:يقل|تقل) عن|على الأقل|بحد أدنى)) ?(?:حوالي |نحو |تقريبا )?N(?: ?(?:-|–|إلى) ?M)? ?U",
        units: ARABIC,
    },
    // Arabic says one and two within the word.
    Form {
        pattern: r"(?:في|من) (?:(?<one>جملة|فقرة|كلمة|نقطة) واحدة|(?<two>جملتين|فقرتين|كلمتين|نقطتين))",
        units: ARABIC,
    },
];

/// Units by how their words begin.
pub(super) const UNITS: [(&str, Unit); 39] = [
    ("word", Unit::Words),
    ("wort", Unit::Words),
    ("wört", Unit::Words),
    ("mot", Unit::Words),
    ("palabra", Unit::Words),
    ("كلم", Unit::Words),
    ("character", Unit::Characters),
    ("zeichen", Unit::Characters),
    ("caract", Unit::Characters),
    ("字", Unit::Characters),
    ("حرف", Unit::Characters),
    ("أحرف", Unit::Characters),
    ("sentence", Unit::Sentences),
    ("satz", Unit::Sentences),
    ("sätz", Unit::Sentences),
    ("phrase", Unit::Sentences),
    ("frase", Unit::Sentences),
    ("oraci", Unit::Sentences),
    ("句", Unit::Sentences),
    ("جمل", Unit::Sentences),
    ("paragraph", Unit::Paragraphs),
    ("absatz", Unit::Paragraphs),
    ("absätz", Unit::Paragraphs),
    ("paragraphe", Unit::Paragraphs),
    ("párrafo", Unit::Paragraphs),
    ("段", Unit::Paragraphs),
    ("فقر", Unit::Paragraphs),
    ("bullet", Unit::Items),
    ("point", Unit::Items),
    ("key", Unit::Items),
    ("main", Unit::Items),
    ("stichpunkt", Unit::Items),
    ("stichwort", Unit::Items),
    ("punto", Unit::Items),
    ("viñeta", Unit::Items),
    ("要点", Unit::Items),
    ("點", Unit::Items),
    ("点", Unit::Items),
    ("نق", Unit::Items),
];

/// Numbers as words.
pub(super) const NUMBERS: [(&str, u64); 66] = [
    ("one", 1),
    ("a single", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("einem", 1),
    ("einen", 1),
    ("zwei", 2),
    ("drei", 3),
    ("vier", 4),
    ("fünf", 5),
    ("sechs", 6),
    ("sieben", 7),
    ("acht", 8),
    ("zehn", 10),
    ("une seule", 1),
    ("une", 1),
    ("un seul", 1),
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("sept", 7),
    ("huit", 8),
    ("dix", 10),
    ("una sola", 1),
    ("una", 1),
    ("un solo", 1),
    ("un", 1),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("diez", 10),
    ("一", 1),
    ("两", 2),
    ("兩", 2),
    ("二", 2),
    ("三", 3),
    ("四", 4),
    ("五", 5),
    ("六", 6),
    ("七", 7),
    ("八", 8),
    ("九", 9),
    ("十", 10),
    ("ثلاثة", 3),
    ("ثلاث", 3),
    ("أربعة", 4),
    ("أربع", 4),
    ("خمسة", 5),
    ("خمس", 5),
    ("ستة", 6),
    ("ست", 6),
    ("سبع", 7),
    ("ثماني", 8),
    ("عشر", 10),
];

/// Words near a length that say it of each of several things, or of something else.
pub(super) const NOT_THE_ANSWER: [&str; 22] = [
    " each",
    "each ",
    " per ",
    " every ",
    "apiece",
    "pro ",
    "jeweils",
    "jede",
    "je ",
    "chaque",
    "chacun",
    "cada ",
    "每",
    "各",
    "لكل",
    "كل ",
    " long the",
    "the following",
    " at a time",
    " longer than",
    " those ",
    "these ",
];
