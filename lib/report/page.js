// SPDX-License-Identifier: GPL-2.0-only
// Searching, filtering, copying.  The page is complete without.
'use strict';

const tools = document.getElementById('tools');
const search = document.getElementById('search');
const boxes = [...tools.querySelectorAll('input[type=checkbox]')];
const rows = [...document.querySelectorAll('.row')];
const texts = new Map();

// A row is found by its own text and by the name of its test.
function textOf(row)
{
	if (!texts.has(row)) {
		const test = row.closest('.test');
		const name = test ? test.querySelector('summary').textContent : '';
		texts.set(row, (name + ' ' + row.textContent).toLowerCase());
	}
	return texts.get(row);
}

function filter()
{
	const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
	const outcomes = new Set(boxes.filter(box => box.checked).map(box => box.value));
	let shown = 0;

	for (const row of rows) {
		const text = words.length ? textOf(row) : '';
		const keep = (outcomes.has(row.dataset.outcome) || row.dataset.outcome === 'none') &&
			words.every(word => text.includes(word));

		row.hidden = !keep;
		shown += keep;
	}
	// A test with none left is out of the way; one that was searched for is open.
	for (const test of document.querySelectorAll('#tests ~ .test')) {
		const any = [...test.querySelectorAll('.row')].some(row => !row.hidden);

		test.hidden = !any && words.length > 0;
		if (any && words.length)
			test.open = true;
	}
	document.getElementById('shown').textContent = `${shown} of ${rows.length} shown`;
}

// What a link leads to may be closed or filtered away.
function reveal()
{
	const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));

	if (!target)
		return;
	for (let at = target; at; at = at.parentElement) {
		if (at.tagName === 'DETAILS')
			at.open = true;
		at.hidden = false;
	}
	target.scrollIntoView();
	const summary = target.querySelector(':scope > summary');
	if (summary)
		summary.focus({ preventScroll: true });
}

// The clipboard may be closed to pages from a file: then the text is selected, ready to be copied.
async function copy(button)
{
	const code = button.parentElement.querySelector('code');

	try {
		await navigator.clipboard.writeText(code.textContent);
		button.textContent = 'Copied';
	} catch {
		const range = document.createRange();

		range.selectNodeContents(code);
		getSelection().removeAllRanges();
		getSelection().addRange(range);
		button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
	}
}

for (const button of document.querySelectorAll('.copy')) {
	button.hidden = false;
	button.addEventListener('click', () => copy(button));
}
tools.hidden = false;
tools.addEventListener('input', filter);
tools.addEventListener('submit', event => event.preventDefault());
addEventListener('hashchange', reveal);
document.addEventListener('keydown', event => {
	if (event.key === '/' && !/INPUT|TEXTAREA/.test(event.target.tagName)) {
		event.preventDefault();
		search.focus();
	}
});
filter();
reveal();
