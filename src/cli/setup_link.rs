//! `visavis setup-link`: how to make the first admin in a browser. Works beside a running daemon, and before its first start.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::{load, serve};
use crate::accounts::{Accounts, Setup};
use crate::app;
use crate::store::Store;

pub(super) fn run(path: &Path) -> Result<()> {
    let config = load(path)?;
    let links = serve::runtime()?.block_on(async {
        app::make_data_dir(&config.server.data_dir)?;
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
    if let Some(code) = links.first().filter(|_| std::io::stdout().is_terminal()).and_then(|link| QrCode::new(link).ok()) {
        // Dark modules are the terminal's background: most terminals are dark, and scanners read the inverse too.
        println!("\n{}", code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build());
    }
}

const ALREADY: &str = "This box has an admin already, so there is no set-up link any more.
  forgotten password:  visavis user passwd NAME   (visavis user list shows the names)
  one more admin:      visavis user add NAME --role admin";
