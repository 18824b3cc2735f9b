// Netlify Edge Functions: the rest of the chain has the files. A page may answer under its short address alone.
export default (request, context) => pbServeRequest(PB, request, {
  async file(path, method, asked) {
    const url = new URL(request.url);
    const ask = (name) => {
      url.pathname = name;
      url.search = '';
      return context.next(new Request(url, { method, headers: asked ? request.headers : {}, redirect: 'manual' }));
    };
    const found = await ask(path);
    const moved = found.status > 300 && found.status < 309 && found.status !== 304 && /\.html$/.test(path);
    return moved ? ask(path.replace(/(?:(\/)index)?\.html$/, '$1')) : found;
  },
  env: (name) => Netlify.env.get(name),
});
