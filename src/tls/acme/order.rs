//! One order: account, proof that the name leads here, certificate. What the server refuses is told in its own words, with the remedy.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, Problem, RetryPolicy,
};
use rustls::pki_types::CertificateDer;

use super::Settings;
use super::challenge::{Challenges, Shown};
use super::client::Client;
use super::plan::{UnixSeconds, Window};
use super::stored::Stored;
use super::task::{Authority, Issued, Refusal, Replaces};
use crate::tls::TlsError;

/// The configured ACME server.
pub(super) struct Server {
    settings: Settings,
    stored: Stored,
    challenges: Arc<Challenges>,
}

/// Why one way of proving the name brought nothing.
enum Failure {
    /// The server came and saw something else, or nothing: another way may do.
    Proof(String),
    /// No way would do.
    Order(Error),
    Box(TlsError),
}

impl Server {
    pub(super) const fn new(settings: Settings, stored: Stored, challenges: Arc<Challenges>) -> Self {
        Self { settings, stored, challenges }
    }

    /// The stored account, or a new one.
    async fn account(&self, client: &Client) -> Result<Account, Failure> {
        let builder = || Account::builder_with_http(Box::new(client.clone()));
        if let Some(known) = self.stored.account() {
            return Ok(builder().from_credentials(known).await?);
        }
        let contact = self.settings.contact.as_ref().map(|address| format!("mailto:{address}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder().create(&new, self.settings.directory.clone(), None).await?;
        self.stored.keep_account(&credentials)?;
        log::info!(event = "acme_account", directory = self.settings.directory.as_str(); "the ACME server has a new account for this box");
        Ok(account)
    }

    async fn attempt(&self, client: &Client, replaces: Replaces<'_>) -> Result<Issued, Failure> {
        let account = match self.account(client).await {
            Err(Failure::Order(error)) if is(&error, "accountDoesNotExist") => self.another_account(client).await?,
            account => account?,
        };
        match self.issue(&account, replaces).await {
            Err(Failure::Order(error)) if is(&error, "accountDoesNotExist") => {
                let account = self.another_account(client).await?;
                self.issue(&account, None).await
            }
            issued => issued,
        }
    }

    /// The server has forgotten the stored account.
    async fn another_account(&self, client: &Client) -> Result<Account, Failure> {
        self.stored.forget_account()?;
        self.account(client).await
    }

    /// Proves the name one way after the other.
    async fn issue(&self, account: &Account, replaces: Replaces<'_>) -> Result<Issued, Failure> {
        let mut refused = Vec::new();
        for way in [ChallengeType::TlsAlpn01, ChallengeType::Http01] {
            if way == ChallengeType::Http01 && !self.settings.plain_http {
                refused.push("http-01 was not tried, since http.redirect-listen is empty".to_owned());
                continue;
            }
            let mut order = self.order(account, replaces).await?;
            match self.prove(&mut order, way).await {
                Ok(()) => return Ok(certificate(&mut order).await?),
                Err(Failure::Proof(words)) => refused.push(words),
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Proof(refused.join("; ")))
    }

    async fn order(&self, account: &Account, replaces: Replaces<'_>) -> Result<Order, Failure> {
        let identifiers = [Identifier::Dns(self.settings.name.clone())];
        let replaced = replaces.and_then(|leaf| CertificateIdentifier::try_from(leaf).ok());
        if let Some(replaced) = replaced {
            match account.new_order(&NewOrder::new(&identifiers).replaces(replaced)).await {
                // What it replaces is a courtesy (RFC 9773 section 5): the server may have its reasons against it.
                Err(Error::Api(problem)) if !is_problem(&problem, "rateLimited") => {}
                Err(Error::Unsupported(_) | Error::Other(_)) => {}
                order => return Ok(order?),
            }
        }
        Ok(account.new_order(&NewOrder::new(&identifiers)).await?)
    }

    /// Shows what the server wants to see, and waits until it has seen it.
    async fn prove(&self, order: &mut Order, way: ChallengeType) -> Result<(), Failure> {
        // Dropped, and hidden, when the server has looked.
        let mut shown = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let Some(mut challenge) = authorization.challenge(way.clone()) else {
                return Err(Failure::Proof(format!("{}: the server does not offer it", called(&way))));
            };
            shown.push(self.show(&way, &challenge.token, &challenge.key_authorization())?);
            challenge.set_ready().await?;
        }
        let ready = order.poll_ready(&PATIENCE).await;
        if matches!(ready, Ok(OrderStatus::Ready)) {
            return Ok(());
        }
        let seen = saw(order, &way).await;
        let words =
            seen.or_else(|| ready.err().map(|error| error.to_string())).unwrap_or_else(|| "it gives no reason".to_owned());
        Err(Failure::Proof(format!("{}: {words}: {}", called(&way), self.remedy(&way))))
    }

    fn show(&self, way: &ChallengeType, token: &str, key: &instant_acme::KeyAuthorization) -> Result<Shown, TlsError> {
        if *way == ChallengeType::Http01 {
            return Ok(self.challenges.show_text(token, key.as_str()));
        }
        let provider = rustls::crypto::ring::default_provider();
        self.challenges.show_certificate(&self.settings.name, key.digest().as_ref(), &provider)
    }

    fn remedy(&self, way: &ChallengeType) -> String {
        let name = &self.settings.name;
        match way {
            ChallengeType::Http01 => format!("port 80 of {name} must lead to http.redirect-listen"),
            _ => format!("port 443 of {name} must lead to http.listen, through nothing that ends TLS"),
        }
    }
}

impl Authority for Server {
    async fn order(&self, replaces: Replaces<'_>) -> Result<Issued, Refusal> {
        let client = Client::new(self.settings.ca_file.as_deref()).map_err(|error| Refusal::of(error.to_string()))?;
        let attempt = tokio::time::timeout(ORDER_MAX, self.attempt(&client, replaces)).await;
        let failure = match attempt {
            Ok(Ok(issued)) => return Ok(issued),
            Ok(Err(failure)) => failure,
            Err(_) => return Err(Refusal::of("the server did not come to an end".to_owned())),
        };
        Err(Refusal { words: failure.to_string(), retry_after: client.retry_after() })
    }

    async fn window(&self, leaf: &CertificateDer<'_>) -> Result<Option<(Window, Duration)>, Refusal> {
        let refusal = |error: String| Refusal::of(error);
        let client = Client::new(self.settings.ca_file.as_deref()).map_err(|error| refusal(error.to_string()))?;
        let Ok(identifier) = CertificateIdentifier::try_from(leaf) else { return Ok(None) };
        let account = self.account(&client).await.map_err(|failure| refusal(failure.to_string()))?;
        match account.renewal_info(&identifier).await {
            Ok((info, again)) => {
                let unix = |time: time::OffsetDateTime| UnixSeconds(time.unix_timestamp());
                let window = info.suggested_window;
                Ok(Some((Window { start: unix(window.start), end: unix(window.end) }, again)))
            }
            Err(Error::Unsupported(_)) => Ok(None),
            Err(error) => Err(refusal(error.to_string())),
        }
    }
}

async fn certificate(order: &mut Order) -> Result<Issued, Error> {
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(Issued { chain, key })
}

/// What the server saw instead: it stands in the challenge.
async fn saw(order: &mut Order, way: &ChallengeType) -> Option<String> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let failed = state.challenges.iter().filter(|challenge| challenge.r#type == *way);
        if let Some(problem) = failed.filter_map(|challenge| challenge.error.as_ref()).next() {
            return Some(words(problem));
        }
    }
    None
}

/// What the server says, without the library's frame.
fn words(problem: &Problem) -> String {
    match problem.detail.as_deref().filter(|_| problem.subproblems.is_empty()) {
        Some(detail) => format!("the server says \"{detail}\""),
        None => problem.to_string(),
    }
}

fn is(error: &Error, kind: &str) -> bool {
    matches!(error, Error::Api(problem) if is_problem(problem, kind))
}

/// RFC 8555 section 6.7.
fn is_problem(problem: &Problem, kind: &str) -> bool {
    problem.r#type.as_deref().and_then(|urn| urn.strip_prefix("urn:ietf:params:acme:error:")) == Some(kind)
}

const fn called(way: &ChallengeType) -> &'static str {
    match way {
        ChallengeType::Http01 => "http-01",
        _ => "tls-alpn-01",
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Proof(words) => f.write_str(words),
            Self::Order(Error::Api(problem)) => f.write_str(&words(problem)),
            Self::Order(error) => write!(f, "{error}"),
            Self::Box(error) => write!(f, "{error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Order(error)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Box(error)
    }
}

/// How long the server may look, and sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(90));
const ORDER_MAX: Duration = Duration::from_secs(300);
