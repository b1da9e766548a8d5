//! Which ciphers, and in which order: the box decides, since it pays for everybody's.

use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, SupportedCipherSuite};

/// ring's suites, all of them with forward secrecy and authenticated encryption. AES comes first where the processor has instructions for
/// it, else ChaCha20, which is the faster one in software.
pub(super) fn provider() -> CryptoProvider {
    in_order(has_aes())
}

fn in_order(aes_first: bool) -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| is_chacha(suite) == aes_first);
    provider
}

fn is_chacha(suite: &SupportedCipherSuite) -> bool {
    matches!(
        suite.suite(),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}

#[cfg(target_arch = "x86_64")]
fn has_aes() -> bool {
    std::arch::is_x86_feature_detected!("aes")
}

#[cfg(target_arch = "aarch64")]
fn has_aes() -> bool {
    std::arch::is_aarch64_feature_detected!("aes")
}

/// The 32-bit boards that run this have none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const fn has_aes() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_s_own_cipher_comes_first_and_none_is_lost() {
        let all = ring::default_provider().cipher_suites.len();
        for (aes_first, chacha_leads) in [(true, false), (false, true)] {
            let suites = in_order(aes_first).cipher_suites;
            assert_eq!((suites.len(), is_chacha(&suites[0]), is_chacha(&suites[all - 1])), (all, chacha_leads, !chacha_leads));
        }
    }
}
