//! `/api/accounts/`: people, as admins manage them.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json as object;

use super::problem::Problem;
use super::request::ApiRequest;
use super::setup::{display_name_of, username_of};
use super::{Answer, Http, json, no_content, view};
use crate::accounts::DirectoryError;
use crate::proto::id::UserId;
use crate::proto::signal::Role;

#[derive(Deserialize)]
struct NewAccount {
    username: String,
    display_name: String,
    role: Role,
}

impl Http {
    /// `GET accounts/`: a page of them; `after` is the last username of the page before, `search` a part of a name.
    pub(super) async fn accounts(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let [search, after] = ["search", "after"].map(|name| request.query(name).unwrap_or_default());
        let page = self.accounts.page(&login.user, search, after).await?;
        let accounts: Vec<_> = page.accounts.iter().map(view::account).collect();
        Ok(json(StatusCode::OK, &object!({ "accounts": accounts, "more": page.more })))
    }

    /// `POST accounts/`: the answer shows the one-time password, this once.
    pub(super) async fn make_account(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let new: NewAccount = request.json().await?;
        let (username, name) = (username_of(&new.username)?, display_name_of(&new.display_name)?);
        let (user, password) = self.accounts.enrol(&login.user, username, name, new.role).await?;
        log::info!(event = "account_made", user:% = user.id, by:% = login.user.id; "an account was made");
        Ok(json(StatusCode::CREATED, &object!({ "user": view::user(&user), "password": password.reveal() })))
    }

    /// `POST accounts/{id}/password/`: a new one-time password; the old one and every login of theirs end.
    pub(super) async fn reset_password(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let password = self.accounts.reset_password(&login.user, account_id(id)?).await?;
        log::info!(event = "password_reset", user = id, by:% = login.user.id; "a one-time password was made");
        Ok(json(StatusCode::OK, &object!({ "password": password.reveal() })))
    }

    /// `DELETE accounts/{id}/`: with their sessions and their attendance. They are out of every call, and their credentials are void.
    pub(super) async fn remove_account(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        for (room, participant) in self.accounts.remove(&login.user, account_id(id)?).await? {
            self.hub.remove(room, participant).await;
        }
        log::info!(event = "account_removed", user = id, by:% = login.user.id; "an account was removed");
        Ok(no_content())
    }
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        let detail = error.to_string();
        match error {
            DirectoryError::NotAdmin => Self::new(StatusCode::FORBIDDEN, "forbidden_role", detail),
            DirectoryError::Own => Self::new(StatusCode::CONFLICT, "own_account", detail),
            DirectoryError::Guest => Self::invalid_field(detail),
            DirectoryError::NotFound => Self::not_found(),
            DirectoryError::Account(error) => error.into(),
        }
    }
}

fn account_id(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
