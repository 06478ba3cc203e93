-- What the archive says, as tables. Everything here can be remade from the archive; nothing else writes here.
-- All timestamps are UTC.
create schema if not exists raw;

-- One row per page that is read, and per outside price map; replaced at every load.
create table if not exists raw.sources (
    provider_id varchar not null,
    provider_name varchar not null,
    homepage varchar not null,
    provider_kind varchar not null,
    page_id varchar not null,
    url varchar not null,
    format varchar not null,
    role varchar not null,
    is_verified boolean not null,
    source_order integer not null,
    primary key (provider_id, page_id)
);

-- How many of a unit make one million tokens; replaced at every load.
create table if not exists raw.pricing_units (
    pricing_unit varchar primary key,
    mtok_factor decimal(7, 0) not null
);

-- One row per attempt to capture a page, whatever came of it.
create table if not exists raw.captures (
    capture_id varchar primary key,
    provider_id varchar not null,
    page_id varchar not null,
    url varchar not null,
    origin varchar not null,
    requested_at timestamp not null,
    captured_at timestamp not null,
    outcome varchar not null,
    message varchar,
    status integer,
    sha256 varchar,
    size_bytes bigint,
    etag varchar,
    last_modified varchar
);

-- One row per reading of a capture: what we made of it, and since when.
create table if not exists raw.readings (
    reading_id varchar primary key,
    capture_id varchar not null,
    read_at timestamp not null,
    outcome varchar not null,
    message varchar,
    quotes_sha256 varchar
);

-- The quotes of a reading, numbered from 0, once for all readings that found the same.
create table if not exists raw.price_quotes (
    quotes_sha256 varchar not null,
    quote_no integer not null,
    provider_id varchar not null,
    model_label varchar not null,
    meter varchar not null,
    list_unit_price decimal(38, 18),
    pricing_unit varchar not null,
    currency varchar not null,
    service_tier varchar not null,
    context_from bigint,
    context_to bigint,
    region varchar,
    time_window varchar,
    announced_from timestamp,
    valid_until timestamp,
    doubt varchar,
    evidence varchar not null,
    locator varchar not null
);

-- The same for price maps that others keep.
create table if not exists raw.observations as from raw.price_quotes limit 0;

-- The same for exchange rates.
create table if not exists raw.exchange_rates as from raw.price_quotes limit 0;

-- Build files of before that column.
alter table raw.price_quotes add column if not exists doubt varchar;
alter table raw.observations add column if not exists doubt varchar;
alter table raw.exchange_rates add column if not exists doubt varchar;

-- How far the archive has been loaded: one row.
create table if not exists raw.archive_position (
    file_name varchar not null,
    file_offset bigint not null
);
