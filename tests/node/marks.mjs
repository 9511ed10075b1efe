// Lighthouse as a tool of tests/journeys/looked_at.py. Each line that comes in names a page and the browser that shows
// it; each line that goes out tells its marks (of 100), what took marks away, and the milliseconds behind them.
import { createInterface } from 'node:readline';
import lighthouse, { desktopConfig } from 'lighthouse';
import puppeteer from 'puppeteer-core';

const CATEGORIES = ['accessibility', 'best-practices', 'performance'];
const TIMES = ['first-contentful-paint', 'largest-contentful-paint', 'interactive', 'total-blocking-time'];

function lost(report) {
  const refs = CATEGORIES.flatMap((c) => report.categories[c].auditRefs).filter((ref) => ref.weight > 0);
  return refs.map((ref) => report.audits[ref.id]).filter((audit) => audit.score !== null && audit.score < 0.9)
    .map((audit) => `${audit.id} ${audit.displayValue ?? ''} ${JSON.stringify(audit.details?.items?.slice(0, 2) ?? '').slice(0, 300)}`);
}

let browser;
for await (const line of createInterface({ input: process.stdin })) {
  const { name, url, port, cookie } = JSON.parse(line);
  browser ??= await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null });
  const page = await browser.newPage();
  await page.deleteCookie(...(await page.cookies(url)), { name: 'none', url });
  if (cookie) { await page.setCookie({ ...cookie, url }); }
  const { lhr: report } = await lighthouse(url, { onlyCategories: CATEGORIES, logLevel: 'error' }, desktopConfig, page);
  await page.close();
  const marks = CATEGORIES.map((c) => Math.round(100 * (report.categories[c].score ?? 0)));
  const times = TIMES.map((id) => Math.round(report.audits[id].numericValue ?? 0));
  console.log(JSON.stringify({ name, shown: report.finalDisplayedUrl, marks, lost: lost(report), times }));
}
await browser?.disconnect();
