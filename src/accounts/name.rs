//! Names people type: proved once, shown as text.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;
use unicode_segmentation::UnicodeSegmentation;

/// What somebody signs in with: 1 to 64 characters, lower case, NFC, no spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(pub(super) String);

/// What others see: 1 to 64 characters (extended grapheme clusters, UAX 29) and at most 256 bytes, NFC, without what shows as nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(pub(super) String);

/// A name of another form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// See [`Username`].
    #[error("a username has 1 to 64 letters, digits, dots, hyphens, underscores or @, and no spaces")]
    Username,
    /// See [`DisplayName`].
    #[error("a display name has 1 to 64 characters, in at most 256 bytes")]
    DisplayName,
}

impl Username {
    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name: String = text.trim().nfc().flat_map(char::to_lowercase).collect();
        let sound = name.chars().all(|c| (c.is_alphanumeric() && !is_invisible(c)) || matches!(c, '.' | '-' | '_' | '@'));
        let fits = (1..=64).contains(&name.chars().count());
        if sound && fits { Ok(Self(name)) } else { Err(InvalidName::Username) }
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // What is left out may have kept letters apart that compose, so it goes first.
        let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        let name: String = visible.graphemes(true).flat_map(without_stray_joiners).nfc().collect();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let shows = name.chars().any(|c| !is_combining_mark(c));
        let fits = (1..=64).contains(&name.graphemes(true).count()) && name.len() <= 256;
        if shows && fits { Ok(Self(name)) } else { Err(InvalidName::DisplayName) }
    }
}

impl DisplayName {
    /// Whether somebody could take this name for that one: the same letters, or such as look like them (UTS 39 section 4), whatever
    /// their case and what stands between them.
    pub fn resembles(&self, other: &str) -> bool {
        let look = |name: &str| {
            let letters: String = name.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            skeleton(&letters).collect::<String>()
        };
        look(&self.0) == look(other)
    }
}

/// A joiner stays where it makes one picture of two, as in a family; between letters it only forges. Within one character nothing else
/// but a picture follows it that is neither a letter, a mark nor a skin tone (UAX 29 rules GB9 to GB11).
fn without_stray_joiners(character: &str) -> impl Iterator<Item = char> {
    let joined = |c: char| !(c.is_alphanumeric() || is_combining_mark(c) || c == JOINER || SKIN_TONES.contains(&c));
    character.char_indices().filter_map(move |(at, c)| {
        let next = character[at + c.len_utf8()..].chars().next();
        (c != JOINER || (at > 0 && next.is_some_and(joined))).then_some(c)
    })
}

/// Controls, direction characters (Unicode TR 36), and what shows as nothing (UAX 44, `Default_Ignorable_Code_Point`, and blanks that count as
/// letters or symbols): they forge what a name looks like. The joiner and the selector of coloured pictures have their place in one.
fn is_invisible(c: char) -> bool {
    let forging = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    forging || (c.is_control() && !c.is_whitespace())
}

const JOINER: char = '\u{200d}';
const SKIN_TONES: std::ops::RangeInclusive<char> = '\u{1f3fb}'..='\u{1f3ff}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_meet_in_lower_case() {
        assert_eq!("  Mara.M@School ".parse(), Ok(Username("mara.m@school".to_owned())));
        for name in ["", " ", "a b", "a\u{202e}b", "a/b", "a\u{3164}", &"x".repeat(65)] {
            assert_eq!(name.parse::<Username>(), Err(InvalidName::Username), "{name:?}");
        }
    }

    /// Scenario 17: NFC, 64 graphemes and 256 bytes; direction and zero-width characters go, look-alikes are seen through.
    #[test]
    fn names_are_bounded_in_graphemes_and_bytes_and_look_alikes_are_seen_through() {
        let name = |text: &str| text.parse::<DisplayName>();
        assert_eq!(name("Zoe\u{308}"), Ok(DisplayName("Zo\u{eb}".to_owned())));
        assert!(name(&"e\u{323}\u{302}".repeat(64)).is_ok(), "one character of three code points");
        assert!(name(&"\u{1f44d}\u{1f3fd}".repeat(32)).is_ok() && name(&"\u{1f44d}\u{1f3fd}".repeat(33)).is_err());
        assert!(name(&"x".repeat(64)).is_ok() && name(&"x".repeat(65)).is_err());
        let mentor = "Mara Mentor";
        for guest in ["mara mentor", "Mara-Mentor", "M\u{430}r\u{430} Mentor", "M\u{200b}ara  Mentor", "\u{ff2d}ara Mentor"] {
            assert!(name(guest).unwrap().resembles(mentor), "{guest:?}");
        }
        for guest in ["Mara", "Maria Mentor", "Gil"] {
            assert!(!name(guest).unwrap().resembles(mentor), "{guest:?}");
        }
    }

    #[test]
    fn display_names_lose_what_forges_their_look() {
        assert_eq!("Mara\u{202e}\u{200b}  M\u{7}ü\n".parse(), Ok(DisplayName("Mara Mü".to_owned())));
        let blank =
            ["", "\u{200b}", "\u{3164}", "\u{2800}", "\u{115f}\u{1160}", "\u{ffa0} \u{34f}", "\u{200d}", "\u{fe0f}", "\u{301}"];
        for name in blank.into_iter().chain([&*"x".repeat(65), &*"\u{1f600}".repeat(65)]) {
            assert_eq!(name.parse::<DisplayName>(), Err(InvalidName::DisplayName), "{name:?}");
        }
    }

    #[test]
    fn stored_names_are_nfc_whatever_stood_between_their_letters() {
        for hidden in ['\u{34f}', '\u{200b}', '\u{200d}', '\u{3164}'] {
            assert_eq!(format!("Zoe{hidden}\u{308}").parse(), Ok(DisplayName("Zo\u{eb}".to_owned())), "{hidden:?}");
        }
    }

    #[test]
    fn joiners_stay_in_pictures_alone() {
        let (family, rainbow, wave) =
            ("\u{1f469}\u{200d}\u{1f467}", "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}", "\u{1f44b}\u{1f3fd}\u{200d}");
        for picture in [family, rainbow] {
            assert_eq!(picture.parse(), Ok(DisplayName(picture.to_owned())), "{picture:?}");
        }
        assert_eq!(wave.parse(), Ok(DisplayName("\u{1f44b}\u{1f3fd}".to_owned())));
        for letters in ["Ma\u{200d}ra", "\u{200d}Mara", "Mara\u{200d}", "Ma\u{200d}\u{200d}ra"] {
            assert_eq!(letters.parse(), Ok(DisplayName("Mara".to_owned())), "{letters:?}");
        }
        assert_eq!("\u{915}\u{94d}\u{200d}\u{937}".parse(), Ok(DisplayName("\u{915}\u{94d}\u{937}".to_owned())));
    }
}
