//! Who was there and for how long: for the mentor of a session and for admins.

use super::{Mentoring, MentoringError};
use crate::proto::id::SessionId;
use crate::proto::signal::Role;
use crate::store::{Attendance, User};

impl Mentoring {
    /// When everybody was in the rooms of a session; who came first is first.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for the student, or what the database
    /// refused with.
    pub async fn attendance(&self, user: &User, id: SessionId) -> Result<Vec<Attendance>, MentoringError> {
        let session = self.store.session(id).await?.ok_or(MentoringError::NotFound)?;
        if user.role != Role::Admin && session.mentor.id != user.id {
            self.member_session(user, id).await?;
            return Err(MentoringError::ForbiddenRole("only the mentor sees who was there"));
        }
        Ok(self.store.attendance(id).await?)
    }
}
