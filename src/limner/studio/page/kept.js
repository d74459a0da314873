// What does not fit into the address, such as chosen files and drawings, is kept by the browser for a reload.

const open = new Promise((resolve) => {
  try {
    const request = indexedDB.open("limner-studio", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null); // a private window may refuse: then nothing is kept
  } catch {
    resolve(null);
  }
});

async function ask(mode, use) {
  const base = await open;
  if (!base) return undefined;
  return new Promise((resolve) => {
    const request = use(base.transaction("kept", mode).objectStore("kept"));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}

export const recall = (name) => ask("readonly", (store) => store.get(name));
export const remember = (name, value) => ask("readwrite", (store) => (value === null ? store.delete(name) : store.put(value, name)));
