//! Names people type: proved once, shown as text.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;
use unicode_segmentation::UnicodeSegmentation;

/// What somebody signs in with: 1 to 64 characters, lower case, NFC, no spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(pub(super) String);

/// What others see: 1 to 64 characters (extended grapheme clusters, UAX 29) and at most 256 bytes, NFC, without control and direction characters.
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
        let sound = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@'));
        let fits = (1..=64).contains(&name.chars().count());
        if sound && fits { Ok(Self(name)) } else { Err(InvalidName::Username) }
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name: String = text.nfc().filter(|c| !is_invisible(*c)).collect();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = (1..=64).contains(&name.graphemes(true).count()) && name.len() <= 256;
        if fits { Ok(Self(name)) } else { Err(InvalidName::DisplayName) }
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

/// Controls, zero-width and direction characters (Unicode TR 36): they forge what a name looks like.
fn is_invisible(c: char) -> bool {
    let forging = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    forging || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_meet_in_lower_case() {
        assert_eq!("  Mara.M@School ".parse(), Ok(Username("mara.m@school".to_owned())));
        for name in ["", " ", "a b", "a\u{202e}b", "a/b", &"x".repeat(65)] {
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
        for name in ["", "\u{200b}", &"x".repeat(65), &"\u{1f600}".repeat(65)] {
            assert_eq!(name.parse::<DisplayName>(), Err(InvalidName::DisplayName), "{name:?}");
        }
    }
}
