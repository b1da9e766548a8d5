//! Who is told to come by HTTPS alone.

use crate::daemon::Daemon;
use crate::front::Mood;
use crate::world::{HTTP, Looks, NAME, World};

const TOLD: &str = "strict-transport-security: max-age=31536000\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_to_come_by_https_alone_where_anybody_trusts_the_certificate() {
    let world = World::start(Looks::default()).await;
    let (folder, roots) = (tempfile::tempdir().unwrap(), world.system_roots().await);
    let http = format!("redirect-listen = [\"{}:{HTTP}\"]", world.address);
    let acme = format!("source = \"acme\"\nacme-directory = \"{}\"", world.directory());
    world.front.is(Mood::Down);
    let visavis = Daemon::start_as(&world, folder.path(), &http, &acme, Some(&roots));
    visavis.logged("event=acme_failed");
    assert!(!visavis.page(NAME).await.contains(TOLD), "the box's own authority's");
    world.front.is(Mood::Passes);
    visavis.reload();
    visavis.logged("event=certificate_renewed");
    assert!(visavis.page(NAME).await.contains(TOLD), "{}", visavis.page(NAME).await);
    assert!(!visavis.page(&world.address.to_string()).await.contains(TOLD), "an address");
    assert!(!visavis.page("localhost").await.contains(TOLD), "a name that the certificate lacks");
    visavis.stop();

    let stored = folder.path().join("acme/certificate.pem");
    let files = format!("source = \"files\"\ncert-file = \"{0}\"\nkey-file = \"{0}\"", stored.display());
    let visavis = Daemon::start_as(&world, folder.path(), &http, &files, Some(&roots));
    assert!(visavis.page(NAME).await.contains(TOLD));
    visavis.stop();
    let visavis = Daemon::start_as(&world, folder.path(), &http, &files, None);
    assert!(!visavis.page(NAME).await.contains(TOLD), "a chain that the system does not trust");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_private_acme_server_nor_the_local_authority_counts_even_where_the_system_trusts_it() {
    let world = World::start(Looks::default()).await;
    let (folder, roots) = (tempfile::tempdir().unwrap(), world.system_roots().await);
    let http = format!("redirect-listen = [\"{}:{HTTP}\"]", world.address);
    let private = format!(
        "source = \"acme\"\nacme-directory = \"{}\"\nacme-ca-file = \"{}\"",
        world.directory(),
        world.ca_file().display()
    );
    let visavis = Daemon::start_as(&world, folder.path(), &http, &private, Some(&roots));
    visavis.logged("event=certificate_renewed");
    assert!(!visavis.page(NAME).await.contains(TOLD));
    visavis.stop();
    let own = folder.path().join("tls/ca.pem");
    let visavis = Daemon::start_as(&world, folder.path(), &http, "source = \"local-ca\"", Some(&own));
    assert!(!visavis.page(NAME).await.contains(TOLD));
}
