//! The languages that can be told, by their codes of ISO 639-1, and the scripts by their names.

use whatlang::Lang;

/// A language that can be told from others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Language {
    pub(crate) code: &'static str,
    pub(crate) lang: Lang,
}

impl Language {
    pub(crate) fn name(&self) -> &'static str {
        self.lang.eng_name()
    }
}

/// Languages that are told apart too badly to fail an answer.
const ALIKE: [[Lang; 2]; 10] = [
    [Lang::Nob, Lang::Dan],
    [Lang::Nob, Lang::Swe],
    [Lang::Ces, Lang::Slk],
    [Lang::Hrv, Lang::Slv],
    [Lang::Hrv, Lang::Srp],
    [Lang::Mkd, Lang::Bul],
    [Lang::Ind, Lang::Jav],
    [Lang::Nld, Lang::Afr],
    [Lang::Tur, Lang::Aze],
    [Lang::Hin, Lang::Nep],
];

/// Returns whether two languages are told apart badly.
pub(crate) fn alike(one: Lang, other: Lang) -> bool {
    ALIKE.contains(&[one, other]) || ALIKE.contains(&[other, one])
}

pub(crate) const LANGUAGES: [Language; 71] = [
    known("af", Lang::Afr),
    known("ak", Lang::Aka),
    known("am", Lang::Amh),
    known("ar", Lang::Ara),
    known("az", Lang::Aze),
    known("be", Lang::Bel),
    known("bg", Lang::Bul),
    known("bn", Lang::Ben),
    known("ca", Lang::Cat),
    known("cs", Lang::Ces),
    known("cy", Lang::Cym),
    known("da", Lang::Dan),
    known("de", Lang::Deu),
    known("el", Lang::Ell),
    known("en", Lang::Eng),
    known("eo", Lang::Epo),
    known("es", Lang::Spa),
    known("et", Lang::Est),
    known("fa", Lang::Pes),
    known("fi", Lang::Fin),
    known("fr", Lang::Fra),
    known("gu", Lang::Guj),
    known("he", Lang::Heb),
    known("hi", Lang::Hin),
    known("hr", Lang::Hrv),
    known("hu", Lang::Hun),
    known("hy", Lang::Hye),
    known("id", Lang::Ind),
    known("it", Lang::Ita),
    known("ja", Lang::Jpn),
    known("jv", Lang::Jav),
    known("ka", Lang::Kat),
    known("km", Lang::Khm),
    known("kn", Lang::Kan),
    known("ko", Lang::Kor),
    known("la", Lang::Lat),
    known("lt", Lang::Lit),
    known("lv", Lang::Lav),
    known("mk", Lang::Mkd),
    known("ml", Lang::Mal),
    known("mr", Lang::Mar),
    known("my", Lang::Mya),
    known("nb", Lang::Nob),
    known("ne", Lang::Nep),
    known("nl", Lang::Nld),
    known("no", Lang::Nob),
    known("or", Lang::Ori),
    known("pa", Lang::Pan),
    known("pl", Lang::Pol),
    known("pt", Lang::Por),
    known("ro", Lang::Ron),
    known("ru", Lang::Rus),
    known("si", Lang::Sin),
    known("sk", Lang::Slk),
    known("sl", Lang::Slv),
    known("sn", Lang::Sna),
    known("sr", Lang::Srp),
    known("sv", Lang::Swe),
    known("ta", Lang::Tam),
    known("te", Lang::Tel),
    known("th", Lang::Tha),
    known("tk", Lang::Tuk),
    known("tl", Lang::Tgl),
    known("tr", Lang::Tur),
    known("uk", Lang::Ukr),
    known("ur", Lang::Urd),
    known("uz", Lang::Uzb),
    known("vi", Lang::Vie),
    known("yi", Lang::Yid),
    known("zh", Lang::Cmn),
    known("zu", Lang::Zul),
];

const fn known(code: &'static str, lang: Lang) -> Language {
    Language { code, lang }
}

/// The scripts of the languages that are written most.
pub(crate) const SCRIPTS: [&str; 30] = [
    "Arabic",
    "Armenian",
    "Bengali",
    "Bopomofo",
    "Cherokee",
    "Cyrillic",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Kannada",
    "Katakana",
    "Khmer",
    "Lao",
    "Latin",
    "Malayalam",
    "Mongolian",
    "Myanmar",
    "Oriya",
    "Sinhala",
    "Tamil",
    "Telugu",
    "Thai",
    "Tibetan",
];
