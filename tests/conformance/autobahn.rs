//! Autobahn's fuzzing client (RFC 6455, more than 500 cases) against the very listener, opening handshake and socket of the daemon, which
//! echo here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};
use tokio_tungstenite::tungstenite::Message;
use visavis::http::{HalfOpen, Listener, Listening};
use visavis::signaling::{Upgrading, upgrade};

/// `make test-autobahn`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python 2.7, and minutes"]
async fn autobahn_finds_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("ws://{}", listener.address());
    let (stop, stopping) = watch::channel(false);
    let listening = Listening {
        tls: None,
        header_timeout: Duration::from_secs(10),
        connections: Arc::new(Semaphore::new(64)),
        half_open: HalfOpen::new(64),
        divert: None,
        stopping,
    };
    let serving = tokio::spawn(listener.serve(listening, |_, request| std::future::ready(answer(request))));
    let spec = json!({
        "outdir": folder.path().join("reports"),
        "servers": [{ "agent": "visavis", "url": url }],
        "cases": ["*"],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let path = folder.path().join("spec.json");
    std::fs::write(&path, spec.to_string()).unwrap();
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/autobahn");
    let python = std::env::var("PYTHON2").unwrap_or_else(|_| "python2.7".to_owned());
    let mut client = Command::new(python);
    client.arg(installed.join("bin/wstest")).args(["-m", "fuzzingclient", "-s"]).arg(&path).env("PYTHONUSERBASE", &installed);
    let status = client.stdout(std::process::Stdio::null()).status().await.expect("Python 2.7 cannot be run: set PYTHON2");
    assert!(status.success(), "{status}");
    stop.send(true).unwrap();
    serving.await.unwrap();
    let report: Value = serde_json::from_slice(&std::fs::read(folder.path().join("reports/index.json")).unwrap()).unwrap();
    let cases = report["visavis"].as_object().unwrap();
    let with = |behavior: &str| {
        cases.iter().filter(|(_, case)| case["behavior"] == behavior).map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let (ok, non_strict, informational, unimplemented) =
        (with("OK"), with("NON-STRICT"), with("INFORMATIONAL"), with("UNIMPLEMENTED"));
    println!(
        "{} cases: {} OK, {} non-strict {non_strict:?}, {} informational, {} unimplemented (compression)",
        cases.len(),
        ok.len(),
        non_strict.len(),
        informational.len(),
        unimplemented.len()
    );
    let failed: Vec<_> = cases
        .iter()
        .filter(|(_, case)| !["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"].contains(&case["behavior"].as_str().unwrap()))
        .map(|(name, case)| format!("{name}: {} {}", case["behavior"], case["behaviorClose"]))
        .collect();
    assert!(failed.is_empty() && ok.len() > 250, "{failed:?}");
}

fn answer(mut request: Request<Incoming>) -> visavis::http::Answer {
    match upgrade(&mut request, MESSAGE_BYTES_MAX) {
        Some((answer, socket)) => {
            tokio::spawn(echo(socket));
            answer
        }
        None => Response::default(),
    }
}

async fn echo(socket: Upgrading) {
    let Some(mut socket) = socket.await else { return };
    let ended = loop {
        let echoed = match socket.read().await {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.write(message).await,
            Ok(_) => Ok(()),
            Err(ended) => Err(ended),
        };
        if let Err(ended) = echoed {
            break ended;
        }
    };
    if let Some(code) = ended {
        socket.close(code).await;
    }
}

/// Autobahn's longest message.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
