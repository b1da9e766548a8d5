//! HTTPS for the ACME server: a connection a request, over what the daemon has anyway (hyper, rustls).

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::{TlsError, roots};

/// Speaks to servers that these roots prove.
#[derive(Clone)]
pub(super) struct Client {
    tls: TlsConnector,
    retry_after: Arc<Mutex<Option<Duration>>>,
}

impl Client {
    /// Trusts the authorities in `ca_file`, or those of the system.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, TlsError> {
        let roots = ca_file.map_or_else(roots::of_the_system, from_file)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), retry_after: Arc::default() })
    }

    /// For how long the last refusal asked for peace (RFC 8555 section 6.6): forgotten once asked.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn exchange(&self, request: Request<BodyWrapper<Bytes>>) -> Result<Response<Full<Bytes>>, String> {
        let (host, port, request) = to_origin(request)?;
        let stream = self.connect(&host, port).await.map_err(|cause| format!("cannot reach {host}:{port}: {cause}"))?;
        let broken = |cause: hyper::Error| format!("{host}:{port} broke the connection off: {cause}");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let answer = async {
            // Dropped with the answer, which ends the connection.
            let mut sender = sender;
            let (parts, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|cause| format!("the answer of {host}:{port} cannot be read: {cause}"))?;
            Ok::<_, String>(Response::from_parts(parts, Full::new(body.to_bytes())))
        };
        let (answer, _) = tokio::join!(answer, connection);
        let answer = answer?;
        let refused = answer.status().is_client_error() || answer.status().is_server_error();
        let asked = answer.headers().get(header::RETRY_AFTER).filter(|_| refused).and_then(wait);
        *self.retry_after.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        Ok(answer)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| "it is no host name".to_owned())?;
        let addresses = tokio::net::lookup_host((host, port)).await;
        let mut failure = "its name leads nowhere".to_owned();
        for address in addresses.map_err(|cause| format!("{cause}: check the box's DNS"))? {
            match tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return self.tls.connect(name, stream).await.map_err(|cause| remedied(&cause)),
                Ok(Err(cause)) => failure = cause.to_string(),
                Err(_) => failure = format!("{address} does not answer"),
            }
        }
        Err(format!("{failure}: check the box's way to the internet"))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let answer = tokio::time::timeout(EXCHANGE_MAX, client.exchange(request)).await;
            let answer = answer.unwrap_or_else(|_| Err("the server takes too long to answer".to_owned()));
            answer.map(BytesResponse::from).map_err(|cause| Error::Other(cause.into()))
        })
    }
}

/// Host, port and the request as it goes over a connection there: with a path and a `Host`.
fn to_origin(mut request: Request<BodyWrapper<Bytes>>) -> Result<(String, u16, Request<BodyWrapper<Bytes>>), String> {
    let uri = request.uri().clone();
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!("`{uri}` is not an https URL"));
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let value = HeaderValue::try_from(authority.as_str()).map_err(|_| format!("`{authority}` is no host"))?;
    request.headers_mut().insert(header::HOST, value);
    *request.uri_mut() =
        Uri::from(uri.path_and_query().cloned().unwrap_or_else(|| hyper::http::uri::PathAndQuery::from_static("/")));
    Ok((host, authority.port_u16().unwrap_or(443), request))
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn wait(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok(),
    }
}

fn remedied(cause: &std::io::Error) -> String {
    let tls = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let untrusted = matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
    let remedy = if untrusted { ": name the authority of a private server in tls.acme-ca-file, and check the clock" } else { "" };
    format!("{cause}{remedy}")
}

fn from_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let unusable = |what: String| TlsError::Content { path: path.display().to_string(), what };
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|cause| unusable(format!("cannot be read: {cause}: see tls.acme-ca-file")))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(certificates).0 == 0 {
        return Err(unusable("holds no PEM certificate: see tls.acme-ca-file".to_owned()));
    }
    Ok(roots)
}

const CONNECT_MAX: Duration = Duration::from_secs(10);
const EXCHANGE_MAX: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_its_origin_by_path_and_host() {
        let of = |uri: &str| to_origin(Request::builder().uri(uri).body(BodyWrapper::default()).unwrap());
        let (host, port, request) = of("https://ca.school.org:14000/dir?x=1").unwrap();
        assert_eq!((&*host, port, request.uri().to_string().as_str()), ("ca.school.org", 14_000, "/dir?x=1"));
        assert_eq!(request.headers()["host"], "ca.school.org:14000");
        let (host, port, request) = of("https://[2001:db8::1]").unwrap();
        assert_eq!((&*host, port, request.uri().path()), ("2001:db8::1", 443, "/"));
        assert!(of("http://ca.school.org/").is_err());
    }

    #[test]
    fn a_server_asks_for_a_wait_in_seconds_or_by_date() {
        let of = |text: &'static str| wait(&HeaderValue::from_static(text));
        assert_eq!(of("120"), Some(Duration::from_secs(120)));
        assert!(of("Tue, 31 Dec 2999 23:59:59 GMT").unwrap() > Duration::from_secs(86_400));
        assert_eq!((of("Fri, 31 Dec 1999 23:59:59 GMT"), of("soon")), (None, None));
    }
}
