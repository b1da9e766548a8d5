//! Names people type: proved once, shown as text.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

/// What somebody signs in with: 1 to 64 characters, lower case, NFC, no spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(pub(super) String);

/// What others see: 1 to 64 characters and at most 256 bytes, NFC, without control and direction characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(pub(super) String);

/// A name of another form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// See [`Username`].
    #[error("a username has 1 to 64 letters, digits, dots, hyphens, underscores or @, and no spaces")]
    Username,
    /// See [`DisplayName`].
    #[error("a display name has 1 to 64 characters")]
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
        let fits = (1..=64).contains(&name.chars().count()) && name.len() <= 256;
        if fits { Ok(Self(name)) } else { Err(InvalidName::DisplayName) }
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

    #[test]
    fn display_names_lose_what_forges_their_look() {
        assert_eq!("Mara\u{202e}\u{200b}  M\u{7}ü\n".parse(), Ok(DisplayName("Mara Mü".to_owned())));
        for name in ["", "\u{200b}", &"x".repeat(65), &"\u{1f600}".repeat(65)] {
            assert_eq!(name.parse::<DisplayName>(), Err(InvalidName::DisplayName), "{name:?}");
        }
    }
}
