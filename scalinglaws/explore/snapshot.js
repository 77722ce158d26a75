// Shows one of the states that the page holds: the one that the controls name.
const store = window.scalinglaws = window.scalinglaws || {}
const data = store[panel] = store[panel] || JSON.parse(document.getElementById('states-' + panel).textContent)

const nearest = (lattice, x, y) => {
  let best = 0
  lattice.forEach((point, place) => {
    const far = (other) => (other[0] - x) ** 2 + (other[1] - y) ** 2
    if (far(point) < far(lattice[best])) best = place
  })
  return best
}

let state = 0
models.forEach((model, number) => {
  const lattice = lattices[number]
  let place
  if (lattice.length) {
    place = nearest(lattice, model.data.x[0], model.data.y[0])
    const [x, y] = lattice[place]
    if (model.data.x[0] !== x || model.data.y[0] !== y) model.data = {x: [x], y: [y]}
  } else {
    place = Number(model.value)
  }
  state = state * sizes[number] + place
})

const numbers = (column) => column.map((entry) => (entry === null ? NaN : entry))
const columns = (piece) => {
  const found = {}
  for (const [name, column] of Object.entries(piece)) {
    const curves = name === 'xs' || name === 'ys'  // each is a fragment of its own
    found[name] = curves ? column.map((place) => numbers(data.fragments[place])) : name === 'x' || name === 'y' ? numbers(column) : column
  }
  return found
}

const shown = data.states[state]
for (const [frame, pieces] of Object.entries(shown.frames)) {
  for (const kind of ['lines', 'bare', 'marks', 'words']) {
    sources[frame][kind].data = columns(data.fragments[pieces[kind]])
  }
  planes[frame].forEach((image, place) => { image.visible = place === pieces.plane })
  keys[frame].text = data.fragments[pieces.key]
  figures[frame].visible = !pieces.empty
  axes[frame].axis_label = pieces.across
}
const query = panel + '?' + shown.query
const safe = query.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
told.text = `<div data-state="${safe}">` + shown.told.map((place) => data.fragments[place]).join('') + '</div>'
document.body.dataset.shown = query
