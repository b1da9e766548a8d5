//! `/api/auth/`: sign in, sign out, who am I.

use std::net::IpAddr;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use super::problem::Problem;
use super::request::{ApiRequest, LOGIN_COOKIE};
use super::setup::password_of;
use super::{Answer, Http, json, no_content, view};
use crate::accounts::{Login, LoginToken, SESSION_LIFETIME};

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct NewPassword {
    current: String,
    chosen: String,
}

impl Http {
    /// `POST login/`. A browser that was signed in gets a new token; the old one ends.
    pub(super) async fn sign_in(&self, source: IpAddr, request: ApiRequest) -> Result<Answer, Problem> {
        let before = request.login_token();
        let Credentials { username, password } = request.json().await?;
        let (token, user) = self.accounts.sign_in(&username, password, source).await?;
        if let Some(before) = before {
            self.end_login(&before).await?;
        }
        log::info!(event = "signed_in", user:% = user.id; "somebody signed in");
        let login = self.accounts.authenticate(&token).await?.ok_or_else(Problem::unauthenticated)?;
        Ok(signed_in(json(StatusCode::OK, &who(&login)), &token))
    }

    /// `POST password/`: one's own, by the one that was. Every other login of theirs ends.
    pub(super) async fn choose_password(&self, source: IpAddr, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.any_login(&request).await?;
        let NewPassword { current, chosen } = request.json().await?;
        let chosen = password_of(&chosen)?;
        let token = self.accounts.choose_password(&login.user, current, chosen, source).await?;
        log::info!(event = "password_chosen", user:% = login.user.id; "somebody chose a new password");
        Ok(signed_in(json(StatusCode::OK, &who(&Login { one_time_password: false, ..login })), &token))
    }

    /// `POST logout/`. Its sockets close; whoever is not signed in is signed out already.
    pub(super) async fn sign_out(&self, request: ApiRequest) -> Result<Answer, Problem> {
        if let Some(token) = request.login_token() {
            self.end_login(&token).await?;
        }
        let mut answer = no_content();
        set_cookie(&mut answer, &format!("{LOGIN_COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"));
        Ok(answer)
    }

    /// `GET me/`; an admin learns here that the box needs them.
    pub(super) async fn me(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.any_login(&request).await?;
        let mut body = who(&login);
        body["warnings"] = serde_json::json!(self.accounts.warnings(&login.user));
        Ok(json(StatusCode::OK, &body))
    }

    async fn end_login(&self, token: &LoginToken) -> Result<(), Problem> {
        self.accounts.sign_out(token).await?;
        self.hub.close_login(token.login_id()).await;
        Ok(())
    }
}

fn who(login: &Login) -> Value {
    serde_json::json!({ "user": view::user(&login.user), "one_time_password": login.one_time_password })
}

/// The answer, with the cookie of a login that has just begun.
pub(super) fn signed_in(mut answer: Answer, token: &LoginToken) -> Answer {
    let (token, lifetime) = (token.to_cookie(), SESSION_LIFETIME.as_secs());
    set_cookie(&mut answer, &format!("{LOGIN_COOKIE}={token}; Path=/; Max-Age={lifetime}; Secure; HttpOnly; SameSite=Strict"));
    answer
}

fn set_cookie(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
}
