//! The set-up link of a box without an admin: in the journal and on the box's console, until it is used.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::identity::Identity;
use super::listeners::Addresses;
use super::site::Site;
use super::tasks::{Tasks, ticks};
use crate::accounts::{Setup, SetupToken};
use crate::config::Config;
use crate::http::https_origin;
use crate::sys::names;
use crate::sys::signals::stopped;

/// What shows the link, and where it leads.
pub(super) struct Shown {
    setup: Setup,
    public_name: Option<String>,
    listening: Vec<SocketAddr>,
    port: u16,
    /// Read by getty before the login prompt (agetty(8), `/etc/issue.d`).
    issue: Option<PathBuf>,
    links: Vec<String>,
}

impl Shown {
    pub(super) fn new(site: &Site, identity: &Identity, addresses: &Addresses) -> Self {
        // systemd names the unit's folder below /run; without one there is no console to write to.
        let issue = std::env::var_os("RUNTIME_DIRECTORY").map(|folder| PathBuf::from(folder).join("issue"));
        Self {
            setup: site.page.setup.clone(),
            public_name: identity.public_name.clone(),
            listening: addresses.http.clone(),
            port: site.page.https_port,
            issue,
            links: Vec::new(),
        }
    }

    /// Shows the link before this returns, and so before systemd is told that the daemon is ready and draws the console anew; then keeps it.
    pub(super) async fn start(mut self, tasks: &mut Tasks) {
        self.look().await;
        tasks.spawn(self.keep(tasks.stopping()));
    }

    /// Runs until there is an admin or the daemon stops. Addresses may come late, by DHCP, so they are looked at again and again.
    async fn keep(mut self, mut stopping: watch::Receiver<bool>) {
        let mut ticks = ticks(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => return,
                _ = ticks.tick() => {}
            }
            if !self.look().await {
                return;
            }
        }
    }

    /// Shows the link where it is not shown yet, or takes it away once there is an admin; false then.
    async fn look(&mut self) -> bool {
        match self.setup.token().await {
            Ok(Some(token)) => self.show(&token),
            Ok(None) => {
                self.hide();
                return false;
            }
            Err(cause) => log::warn!(event = "setup_link_failed", cause:% = cause; "the set-up link cannot be shown"),
        }
        true
    }

    fn show(&mut self, token: &SetupToken) {
        let links = links(self.public_name.as_deref(), &self.listening, self.port, token);
        if links == self.links {
            return;
        }
        for link in &links {
            // The one secret that is ever logged, so that it is found; a warning, since nobody can sign in before.
            log::warn!(event = "setup_link", link = link.as_str(); "this box has no admin yet: open the link to set it up");
        }
        if let Some(issue) = &self.issue
            && let Err(cause) = write(issue, &links)
        {
            log::warn!(event = "console_failed", cause:% = cause; "the set-up link is not on the console, but in this log");
        }
        self.links = links;
    }

    fn hide(&self) {
        if let Some(issue) = &self.issue {
            let _ = std::fs::remove_file(issue);
        }
    }
}

/// Where a browser finds the page as the configuration has it, the best address first; for a command beside the daemon.
pub fn setup_links(config: &Config, token: &SetupToken) -> Vec<String> {
    let listening = &config.http.listen;
    links(config.server.public_name.as_deref(), listening, config.page_port(listening), token)
}

fn links(public_name: Option<&str>, listening: &[SocketAddr], port: u16, token: &SetupToken) -> Vec<String> {
    let hosts = hosts(public_name, listening, &names::host_name(), &names::addresses());
    hosts.iter().map(|host| format!("{}/setup#{}", https_origin(host, port), token.to_fragment())).collect()
}

/// The name that was configured, else the one that mDNS finds; then addresses, for whoever's network resolves neither.
fn hosts(public_name: Option<&str>, listening: &[SocketAddr], own_name: &str, own: &[IpAddr]) -> Vec<String> {
    if !listening.is_empty() && listening.iter().all(|address| address.ip().is_loopback()) {
        return vec![public_name.unwrap_or("localhost").to_owned()];
    }
    let local = (own_name != "localhost").then(|| format!("{own_name}.local"));
    let heard = |ip: &IpAddr| listening.iter().any(|address| address.ip().is_unspecified() || address.ip() == *ip);
    let reachable = own.iter().filter(|ip| !ip.is_loopback() && heard(ip));
    let (v4, v6): (Vec<_>, Vec<_>) = reachable.partition(|ip| ip.is_ipv4());
    let global = v6.iter().filter(|ip| matches!(ip, IpAddr::V6(v6) if !v6.is_unicast_link_local())).map(|ip| format!("[{ip}]"));
    let addresses: Vec<String> = if v4.is_empty() { global.collect() } else { v4.iter().map(ToString::to_string).collect() };
    public_name.map(str::to_owned).or(local).into_iter().chain(addresses).take(HOSTS_MAX).collect()
}

/// Moved into place whole: getty may read at any time.
fn write(issue: &Path, links: &[String]) -> io::Result<()> {
    let beside = issue.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let lines: String = links.iter().map(|link| format!("  {link}\n")).collect();
    write!(file, "\nvisavis has no admin yet. To set it up, open one of these in a browser of this network:\n{lines}\n")?;
    std::fs::rename(&beside, issue)
}

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// More would push the login prompt off the console.
const HOSTS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_proxy_the_link_leads_to_the_proxy() {
        let text = "[server]\npublic-name = \"meet.example\"\n[http]\nlisten = [\"127.0.0.1:8080\"]\n[tls]\nsource = \"off\"\n";
        let token = SetupToken::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let link =
            |more: &str| setup_links(&crate::config::parse(&text.replace("[tls]", &format!("{more}[tls]"))).unwrap(), &token);
        assert_eq!(link(""), [format!("https://meet.example/setup#{}", token.to_fragment())]);
        assert_eq!(link("public-port = 8443\n"), [format!("https://meet.example:8443/setup#{}", token.to_fragment())]);
    }

    #[test]
    fn a_name_comes_first_and_then_the_addresses_that_are_heard() {
        let own: Vec<IpAddr> =
            ["127.0.0.1", "192.0.2.7", "198.51.100.7", "::1", "2001:db8::7", "fe80::7"].map(|ip| ip.parse().unwrap()).into();
        let hosts = |public_name, listening: &[&str]| {
            let listening: Vec<_> = listening.iter().map(|address| address.parse().unwrap()).collect();
            hosts(public_name, &listening, "box", &own)
        };
        assert_eq!(hosts(None, &["0.0.0.0:443", "[::]:443"]), ["box.local", "192.0.2.7", "198.51.100.7"]);
        assert_eq!(hosts(Some("meet.example"), &["192.0.2.7:443"]), ["meet.example", "192.0.2.7"]);
        assert_eq!(hosts(None, &["[2001:db8::7]:443"]), ["box.local", "[2001:db8::7]"]);
        assert_eq!(hosts(None, &["127.0.0.1:8443", "[::1]:8443"]), ["localhost"]);
    }
}
