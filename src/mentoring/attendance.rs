//! Who was there and for how long: for the mentor of a session and for admins.

use super::{Mentoring, MentoringError};
use crate::proto::id::SessionId;
use crate::store::{Attendance, User};

impl Mentoring {
    /// When everybody was in the rooms of a session; who came first is first.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for students and guests, or what the database
    /// refused with.
    pub async fn attendance(&self, user: &User, id: SessionId) -> Result<Vec<Attendance>, MentoringError> {
        self.staffed_session(user, id, "only a mentor of the session sees who was there").await?;
        Ok(self.store.attendance(id).await?)
    }
}
