//! `visavis setup-link`: how to make the first admin in a browser. Works beside a running daemon, and before its first start.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
use qrcodegen::{QrCode, QrCodeEcc};

use super::{become_owner, load, serve};
use crate::accounts::{Accounts, Setup};
use crate::app;
use crate::store::Store;

pub(super) fn run(path: &Path) -> Result<()> {
    let config = load(path)?;
    app::make_data_dir(&config.server.data_dir)?;
    become_owner(&config.server.data_dir)?;
    let links = serve::runtime()?.block_on(async {
        let store = Store::open(&config.server.data_dir)?;
        let token = Setup::new(Accounts::new(store.clone()), &config.server.data_dir).token().await?;
        store.close().await;
        anyhow::Ok(token.map(|token| app::setup_links(&config, &token)))
    })?;
    match links {
        Some(links) => show(&links),
        None => println!("{ALREADY}"),
    }
    Ok(())
}

fn show(links: &[String]) {
    println!("Open one of these in a browser, with the daemon running, to make the first admin:\n");
    for link in links {
        println!("  {link}");
    }
    println!("\nThe link works once. The browser may warn of the box's own certificate until you trust it.");
    let drawn = links.first().filter(|_| std::io::stdout().is_terminal());
    if let Some(code) = drawn.and_then(|link| QrCode::encode_text(link, QrCodeEcc::Low).ok()) {
        println!("\n{}", draw(&code));
    }
}

/// Two modules a character, one above the other. Light ones are drawn, as most terminals are dark; a frame of them is around (ISO 18004).
fn draw(code: &QrCode) -> String {
    let is_light = |x, y| !code.get_module(x, y);
    let edges = -FRAME..code.size() + FRAME;
    let line = |y| {
        let letters = edges.clone().map(|x| match (is_light(x, y), is_light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        letters.chain(['\n']).collect::<String>()
    };
    edges.clone().step_by(2).map(line).collect()
}

/// Modules of the light frame.
const FRAME: i32 = 4;
const ALREADY: &str = "This box has an admin already, so there is no set-up link any more.
  forgotten password:  visavis user passwd NAME   (visavis user list shows the names)
  one more admin:      visavis user add NAME --role admin";
