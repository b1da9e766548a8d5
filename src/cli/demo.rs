//! `visavis serve --demo`: everything on this machine alone, in a folder that is gone afterwards.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::serve;
use crate::accounts::Accounts;
use crate::app::App;
use crate::config::{self, Config};
use crate::mentoring::{Answer, Mentoring};
use crate::proto::signal::Role;
use crate::store::{Store, User};
use crate::sys::entropy;
use crate::sys::handover::Handover;
use crate::tls;

pub(super) fn run() -> Result<()> {
    let folder = Folder::make()?;
    let config = demo_config(&folder.0)?;
    serve::start_log(&config.log)?;
    serve::runtime()?.block_on(async {
        furnish(&folder.0).await?;
        serve::serve(&config, None, Handover::default(), |app| std::future::ready(announce(app, &folder.0))).await
    })
}

/// Three accounts and a session that was accepted.
async fn furnish(folder: &Path) -> Result<()> {
    let store = Store::open(folder)?;
    let accounts = Accounts::new(store.clone());
    let mut people = Vec::new();
    for (username, display_name, role) in PEOPLE {
        let (username, display_name, password) = (username.parse()?, display_name.parse()?, PASSWORD.parse()?);
        people.push(accounts.add(username, display_name, *role, password).await?);
    }
    let of = |role| people.iter().find(|user: &&User| user.role == role).ok_or_else(|| anyhow!("the demo lacks a {role:?}"));
    let (mentor, student) = (of(Role::Mentor)?, of(Role::Student)?);
    let mentoring = Mentoring::new(store.clone());
    let session = mentoring.request(student, mentor.id, "Fractions, and why they matter").await?;
    mentoring.answer(mentor, session.id, Answer::Accept).await?;
    store.close().await;
    Ok(())
}

fn demo_config(folder: &Path) -> Result<Config> {
    let mut text = String::new();
    text += &format!("[server]\ndata-dir = \"{}\"\n", folder.display());
    text += "[http]\nlisten = [\"127.0.0.1:8443\", \"[::1]:8443\"]\nredirect-listen = [\"127.0.0.1:8080\", \"[::1]:8080\"]\n";
    text += "[turn]\nlisten-udp = [\"127.0.0.1:3478\", \"[::1]:3478\"]\nlisten-tcp = [\"127.0.0.1:3478\", \"[::1]:3478\"]\nlisten-tls = []\n[log]\nlevel = \"warn\"\n";
    config::parse(&text).map_err(|problems| anyhow!("the demo's configuration is broken: {problems:?}"))
}

fn announce(app: &App, folder: &Path) -> Result<()> {
    let port = app.http_addresses().first().context("the demo listens nowhere")?.port();
    let page = format!("https://localhost:{port}/");
    println!("\n  visavis runs on this machine alone, until you press Ctrl+C.\n");
    for (username, _, role) in PEOPLE {
        println!("    {:<8} {page}?user={username}", format!("{role:?}").to_lowercase());
    }
    println!("\n  The password of each is {PASSWORD}. Open mentor and student in two browser profiles,");
    println!("  sign in, and press Join video meeting on both sides.\n");
    println!("  The certificate is this box's own: accept the browser's warning once, or trust");
    println!("  {}\n", tls::local_ca_certificate(&folder.join("tls")).display());
    Ok(())
}

/// Deleted with everything in it when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let name = format!("visavis-demo-{:016x}", u64::from_be_bytes(entropy::random()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make {}: set TMPDIR to a folder with room", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot delete {}: {cause}", self.0.display());
        }
    }
}

const PEOPLE: &[(&str, &str, Role)] =
    &[("admin", "Ada Admin", Role::Admin), ("mentor", "Mara Mentor", Role::Mentor), ("student", "Stu Student", Role::Student)];
const PASSWORD: &str = "visavis-demo";
