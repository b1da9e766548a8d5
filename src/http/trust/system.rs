//! Which system a visitor sits in front of, and how each comes to trust a certificate.

/// A system with a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Windows,
    MacOs,
    Ios,
    Android,
    ChromeOs,
    Firefox,
    Linux,
}

impl System {
    /// In the order of the page.
    pub(super) const ALL: [Self; 7] =
        [Self::Windows, Self::MacOs, Self::Ios, Self::Android, Self::ChromeOs, Self::Firefox, Self::Linux];

    /// By what the browser calls itself. An iPad that asks for desktop pages says it is a Mac: the page's script knows better. Firefox has
    /// authorities of its own on Linux alone; elsewhere it believes the system.
    pub(super) fn of(user_agent: &str) -> Option<Self> {
        let says = |word: &str| user_agent.contains(word);
        let known = [
            (Self::ChromeOs, says("CrOS")),
            (Self::Android, says("Android")),
            (Self::Ios, says("iPhone") || says("iPad") || says("iPod")),
            (Self::Windows, says("Windows")),
            (Self::MacOs, says("Macintosh")),
            (Self::Firefox, says("Linux") && says("Firefox/")),
            (Self::Linux, says("Linux")),
        ];
        known.into_iter().find(|(_, matches)| *matches).map(|(system, _)| system)
    }

    /// Its name in the page's code.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::MacOs => "macos",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::ChromeOs => "chromeos",
            Self::Firefox => "firefox",
            Self::Linux => "linux",
        }
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::MacOs => "Mac",
            Self::Ios => "iPhone and iPad",
            Self::Android => "Android",
            Self::ChromeOs => "Chromebook",
            Self::Firefox => "Firefox",
            Self::Linux => "Linux",
        }
    }

    /// HTML: what to do.
    pub(super) const fn steps(self) -> &'static str {
        match self {
            Self::Windows => include_str!("systems/windows.html"),
            Self::MacOs => include_str!("systems/macos.html"),
            Self::Ios => include_str!("systems/ios.html"),
            Self::Android => include_str!("systems/android.html"),
            Self::ChromeOs => include_str!("systems/chromeos.html"),
            Self::Firefox => include_str!("systems/firefox.html"),
            Self::Linux => include_str!("systems/linux.html"),
        }
    }
}
