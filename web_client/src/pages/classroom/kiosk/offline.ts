/** The worker that keeps the page (`src/worker/main.ts`), and the moment when a newer page may take the place of this one. */

import { ref, type Ref } from 'vue'

const LOOK_FOR_NEW_MS = 3600_000

/** Lets the browser keep this page; true in the answer: a newer one is there and waits for a reload. */
export function keepPage(): Ref<boolean> {
  const newer = ref(false)
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined
  if (!workers || !import.meta.env.PROD) return newer
  // The first worker brings the page that is here; every other one a newer page.
  let had = workers.controller !== null
  workers.addEventListener('controllerchange', () => {
    newer.value = had
    had = true
  })
  workers.register('/worker.js', { scope: '/classroom', updateViaCache: 'none' }).then(
    (registration) => setInterval(() => void registration.update().catch(() => undefined), LOOK_FOR_NEW_MS),
    // Without a trusted certificate browsers keep nothing; the page works all the same.
    () => undefined,
  )
  // Lest the browser clears the store when the disk fills up.
  void navigator.storage?.persist?.().catch(() => undefined)
  return newer
}
