import { type HealthReport, healthReport } from "../protocol/health";
import { get } from "./request";

/** `/api/admin/`: what admins alone may see. */
export const adminAPI = {
  /** Examines the box, which takes a few seconds. */
  health: (signal?: AbortSignal): Promise<HealthReport> => get("/api/admin/health/", healthReport, signal),
};
