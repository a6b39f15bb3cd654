// Draws the charts of a page from the JSON beside each. The same figures stand in a table below it,
// which is read out as it is, and shown to everybody who asks.
const places = [...document.querySelectorAll("[data-chart]")];
const number = new Intl.NumberFormat(document.documentElement.lang);
const short = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function common(data) {
  const ink = token("--ink");
  return {
    animation: !calm.matches,
    animationDuration: 350,
    aria: { enabled: true, label: { description: data.label } },
    color: [1, 2, 3, 4, 5, 6, 7, 8].map((place) => token(`--chart-${place}`)),
    textStyle: { color: ink, fontSize: 13, fontFamily: getComputedStyle(document.body).fontFamily },
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--card"),
      borderColor: token("--line"),
      textStyle: { color: ink },
      valueFormatter: (value) => (typeof value === "number" ? number.format(value) : data.hidden),
    },
  };
}

const axis = () => ({
  axisLabel: { color: token("--soft"), fontSize: 13, hideOverlap: true },
  axisLine: { lineStyle: { color: token("--field") } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: token("--line") } },
});

const amounts = () => ({
  ...axis(),
  type: "value",
  minInterval: 1,
  axisLabel: { color: token("--soft"), fontSize: 13, formatter: (value) => short.format(value) },
});

function overTime(data) {
  const lines = data.kind === "lines";
  const many = data.series.length > 1;
  const series = data.series.map(({ name, values }) => ({
    name,
    // The thin border between stacked bars would make a line of what is nothing.
    data: lines ? values : values.map((value) => (value === 0 ? { value, itemStyle: { borderWidth: 0 } } : value)),
    type: lines ? "line" : "bar",
    stack: lines ? undefined : "all",
    barMaxWidth: 44,
    symbolSize: 7,
    emphasis: { focus: "series" },
    itemStyle: lines ? undefined : { borderColor: token("--card"), borderWidth: 1 },
  }));
  const base = common(data);
  return {
    ...base,
    tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: lines ? "line" : "shadow" } },
    legend: {
      show: many, type: "scroll", top: 0, left: 0, itemWidth: 16, itemHeight: 11, textStyle: { color: token("--ink"), fontSize: 13 },
      pageIconColor: token("--accent"), pageIconInactiveColor: token("--line"), pageTextStyle: { color: token("--soft") },
    },
    grid: { left: 0, right: 12, top: many ? 44 : 10, bottom: 0, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { ...axis(), type: "category", data: data.categories },
    yAxis: amounts(),
    series,
  };
}

function bars(data) {
  const base = common(data);
  return {
    ...base,
    tooltip: { ...base.tooltip, trigger: "item" },
    grid: { left: 0, right: 56, top: 0, bottom: 0, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { ...amounts(), show: false },
    yAxis: {
      ...axis(), type: "category", inverse: true, data: data.categories, axisLine: { show: false },
      axisLabel: { color: token("--ink"), fontSize: 13, width: Math.min(190, innerWidth * 0.34), overflow: "truncate" },
    },
    series: [{
      type: "bar", name: data.unit, data: data.values, barMaxWidth: 26, itemStyle: { borderRadius: [0, 4, 4, 0] },
      label: { show: true, position: "right", color: token("--ink"), fontSize: 13, formatter: ({ value }) => number.format(value) },
    }],
  };
}

function flows(data) {
  const colour = (place) => token(`--chart-${(place % 8) + 1}`);
  const width = Math.min(210, innerWidth * 0.4);
  const label = { color: token("--ink"), fontSize: 13, width, overflow: "truncate", formatter: ({ data: { text } }) => text };
  const base = common(data);
  return {
    ...base,
    tooltip: {
      ...base.tooltip,
      trigger: "item",
      formatter: ({ data: { text }, value }) => `${text}\n${number.format(value)} ${data.unit}`,
    },
    series: [{
      type: "sankey",
      animationDuration: 350,
      left: 2, right: 2, top: 6, bottom: 6,
      nodeWidth: 14,
      nodeGap: 14,
      draggable: false,
      emphasis: { focus: "adjacency" },
      lineStyle: { color: "source", opacity: dark.matches ? 0.45 : 0.32, curveness: 0.5 },
      data: data.nodes.map(({ id, text, place, right }) => ({
        name: id, text, itemStyle: { color: colour(place), borderWidth: 0 },
        label: { ...label, position: right ? "left" : "right" },
      })),
      links: data.links.map(({ source, target, value, text }) => ({ source, target, value, text })),
    }],
  };
}

const options = { stack: overTime, lines: overTime, bars, flows };

if (places.length) {
  const { init } = await import(places[0].dataset.library);
  for (const place of places) {
    const data = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const chart = init(place, null, { renderer: "svg" });
    const draw = () => chart.setOption(options[data.kind](data), true);
    draw();
    dark.addEventListener("change", draw);
    calm.addEventListener("change", draw);
    new ResizeObserver(() => chart.resize()).observe(place);
    place.dataset.drawn = "";
  }
}

for (const button of document.querySelectorAll("[data-reading]")) {
  const reading = document.getElementById(button.getAttribute("aria-controls"));
  button.addEventListener("click", () => {
    const open = reading.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? button.dataset.hide : button.dataset.show;
  });
}
