//! QR codes (ISO/IEC 18004) as SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// An SVG of the text with its quiet zone, black on white in either colour scheme; `None` if no code holds that much.
pub(super) fn svg(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let (side, mut path) = (code.size(), String::new());
    for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))).filter(|(y, x)| code.get_module(*x, *y)) {
        let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
    }
    let whole = side + 2 * QUIET;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {whole} {whole}\" role=\"img\" aria-label=\"QR code of this page's address\" \
         shape-rendering=\"crispEdges\"><path class=\"qr-paper\" d=\"M0 0h{whole}v{whole}H0z\"/><path class=\"qr-ink\" d=\"{path}\"/></svg>"
    ))
}

/// Four modules (section 6.3.8).
const QUIET: i32 = 4;
